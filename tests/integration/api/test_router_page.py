"""A router's page in a real browser: tabs, a search, a refusal, a ping from the router; wide and on a phone."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest
from playwright.async_api import Page, expect

from shared.contracts import live
from shared.contracts.queries import PingReport
from shared.errors import Rejected
from tests.integration.api.conftest import Running
from tests.integration.api.test_api_accounts import add_router
from tests.integration.api.test_api_live import holding
from tests.integration.api.test_console import console, log_in

__all__ = ["console"]
pytestmark = pytest.mark.needs_browser

ANSWERS = {
    live.AskResources: live.Resources(
        identity="waru-gw",
        version="7.16.2 (stable)",
        board="CCR2004-16G-2S+",
        architecture="arm64",
        uptime_s=1_930_000,
        cpu_percent=12,
        memory_total=4 << 30,
        memory_free=3 << 30,
        disk_total=128 << 20,
        disk_free=8 << 20,
        sensors=(live.Sensor(name="cpu-temperature", value="48", unit="C"),),
    ),
    live.ListInterfaces: live.Interfaces(
        total=2,
        rows=(
            live.InterfaceState(
                name="ether1", kind="ether", running=True, mac="48:8F:5A:00:00:01", rx_bytes=7 << 40, tx_bytes=3 << 30
            ),
            live.InterfaceState(
                name="ether2", kind="ether", mac="48:8F:5A:00:00:02", link_downs=3, comment="ke Menara"
            ),
        ),
    ),
    live.ListLeases: live.Leases(
        total=231,
        truncated=True,
        rows=(
            live.Lease(
                address="10.5.0.11",
                mac="A4:5E:60:00:00:01",
                host_name="hp-budi",
                server="dhcp1",
                status="bound",
                expires_s=540,
                dynamic=True,
            ),
            live.Lease(
                address="10.5.0.50", mac="A4:5E:60:00:00:50", server="dhcp1", status="waiting", comment="kamera"
            ),
        ),
    ),
    live.ListPools: live.Pools(
        total=2,
        rows=(
            live.PoolUse(name="pool-pppoe", ranges=("10.20.0.10-10.20.0.250",), total=241, used=236),
            live.PoolUse(name="pool-hotspot", ranges=("10.30.0.10-10.30.3.250",), total=1009, used=88),
        ),
    ),
    live.PingFromRouter: PingReport(target="10.66.0.9", address="10.66.0.9", sent=4, received=4, rtt_avg_ms=20.4),
    live.TraceFromRouter: live.Route(
        target="10.66.0.9",
        hops=(live.Hop(number=1, address="10.5.0.254", rtt_ms=1.2), live.Hop(number=2), live.Hop(number=3)),
    ),
    live.ListNeighbors: Rejected("/ip/neighbor/print: not enough permissions (9)", words="not enough permissions (9)"),
}


async def test_router_says_what_it_has(ronda: Running, console: tuple[Page, list[str]]) -> None:
    page, complaints = console
    router = await add_router(ronda)
    async with AsyncExitStack() as stack:
        for kind, answer in ANSWERS.items():
            await stack.enter_async_context(holding(ronda, kind, answer))
        await log_in(page, ronda.owner_password)
        await page.get_by_role("link", name="waru-gw").click()
        await expect(page.locator(".values")).to_contain_text("1.0 GiB of 4.0 GiB")
        await page.get_by_role("link", name="DHCP leases").click()
        await expect(page.locator("tbody tr").first).to_contain_text("10.5.0.11")
        await expect(page.get_by_role("link", name="Next page")).to_be_visible()
        await page.get_by_role("link", name="Pools").click()
        await expect(page.locator("tbody tr").first).to_contain_text("98 %")
        await page.get_by_role("link", name="Neighbours").click()
        await expect(page.get_by_role("alert")).to_contain_text("The router says: not enough permissions (9)")
        await page.get_by_role("link", name="Ping and route").click()
        await page.fill("[name=address]", "10.66.0.9")
        await page.get_by_role("button", name="Ping", exact=True).click()
        await expect(page.locator(".ping")).to_contain_text("4 of 4 answered")
        await page.get_by_role("button", name="Route").click()
        await expect(page.locator(".hops li")).to_have_count(3)
        for width in (390, 1280):
            await page.set_viewport_size({"width": width, "height": 844})
            for tab in ("resources", "leases", "interfaces", "pools"):
                await page.goto(f"/console/routers/{router}?tab={tab}")
                assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (width, tab)
    assert complaints == []
