"""A host's page in a real browser, on rows that a recorder wrote."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright, expect

from shared.contracts.events import HostDown, HostUp
from shared.contracts.samples import HostSlices
from shared.telemetry.health import serving
from tests.integration.api.conftest import Running
from tests.integration.api.test_console import FLAGS, log_in
from tests.support.waiting import until

pytestmark = pytest.mark.needs_browser


@pytest.fixture
async def console(ronda: Running) -> AsyncIterator[tuple[Page, list[str]]]:
    """The log-in page, and what the browser complained of."""
    complaints: list[str] = []
    async with serving(ronda.api.app, "127.0.0.1", 0) as url, async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        context = await browser.new_context(base_url=url, locale="en-GB", viewport={"width": 1280, "height": 900})
        page = await context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto("/")
        yield page, complaints
        await browser.close()


async def watched_host(ronda: Running) -> dict[str, Any]:
    """A host with a day behind it: slow in the evening, some loss, two hours of nobody looking, an outage."""
    site = (await ronda.client.post("/api/v1/sites", json={"name": "Waru"})).json()
    body = {"site_id": site["id"], "name": "core-1", "address": "10.20.0.1", "policy": "infra"}
    host = dict((await ronda.client.post("/api/v1/hosts", json=body)).json())
    now = datetime.now(UTC)  # noqa: TID251 - the service's clock is the machine's
    for minutes in range(23 * 60, 0, -5):
        if not 300 < minutes < 420:
            await ronda.bus.publish_sample(slices(host["id"], now - timedelta(minutes=minutes), minutes))
    for kind, number, ago in ((HostUp, 1, 26), (HostDown, 2, 10), (HostUp, 3, 9.5)):
        at = (now - timedelta(hours=ago)).isoformat()
        told: Any = kind.EXAMPLE | {"host_id": host["id"], "transition": number, "at": at}
        await ronda.bus.publish(kind.model_validate(told | ({"since": at} if kind is HostDown else {})))

    async def known() -> bool:
        events = (await ronda.client.get(f"/api/v1/events?host_id={host['id']}")).json()["items"]
        chart = (await ronda.client.get(f"/api/v1/hosts/{host['id']}/chart")).json()["points"]
        return len(events) == 3 and len(chart) > 200

    assert await until(known)
    return host


def slices(host_id: str, at: datetime, minutes: int) -> HostSlices:
    rtt = 12 + 8 * math.sin(minutes / 180) + (minutes * 37 % 11) / 4
    received = 0 if 570 < minutes < 600 else 90 if 800 < minutes < 860 else 100
    answered = received > 0
    return HostSlices(
        instance="p",
        at=at,
        slice_s=300,
        hosts=(host_id,),
        sent=(100,),
        received=(received,),
        rtt_min_ms=(rtt * 0.7 if answered else None,),
        rtt_avg_ms=(rtt if answered else None,),
        rtt_max_ms=(rtt * 1.6 if answered else None,),
        jitter_ms=(0.4 if answered else None,),
    )


async def test_host_page_shows_how_it_was(ronda: Running, console: tuple[Page, list[str]]) -> None:
    page, complaints = console

    async def heard() -> bool:
        """Samples are at most once: the recorder has to be listening before the story begins."""
        early = datetime.now(UTC) - timedelta(minutes=1)  # noqa: TID251
        await ronda.bus.publish_sample(slices("nobody", early, 1))
        rows = await ronda.api.database.fetchval("select count(*) from host_slices")
        return bool(rows)

    assert await until(heard)
    host = await watched_host(ronda)
    await log_in(page, ronda.owner_password)
    await page.click(f'.seg[href="/console/hosts/{host["id"]}"]')
    await expect(page.locator("h1")).to_contain_text("core-1")
    await expect(page.locator("h1")).to_contain_text("up")
    assert await page.locator(".plot polyline.mean").count() == 3  # a gap and an outage part the line
    assert await page.locator(".plot rect.loss-all").count() == 1
    assert await page.locator(".plot rect.loss-some").count() == 1
    await expect(page.locator(".month").first).to_contain_text("1 outage")
    await expect(page.locator(".month").first).to_contain_text("down 30 minutes")
    await expect(page.locator(".events li")).to_have_count(3)
    for width, height in ((390, 844), (1280, 900)):
        await page.set_viewport_size({"width": width, "height": height})
        too_wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert too_wide <= 0, f"{too_wide} px too wide at {width}"
    await page.click('.spans a[href="?span=7d"]')
    await expect(page.locator(".spans a[aria-current]")).to_have_text("7 d")
    assert complaints == []
