"""Hosts, groups, policies, announced work and limits in a real browser, as a person sets them up."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from shared.contracts.events import HostDown
from tests.integration.api.conftest import Running
from tests.integration.api.test_api_accounts import add_router
from tests.integration.api.test_console import add_host, console, log_in

__all__ = ["console"]
pytestmark = pytest.mark.needs_browser
REFUSED = "422"  # the browser says so of a form that comes back with faults


async def send(page: Page) -> None:
    await page.locator("form.card button[type=submit]").click()


def fault(field: str) -> str:
    return f"[id='f-{field}']"


async def test_host_is_added_with_its_own_fields_and_every_fault_at_its_field(
    ronda: Running, console: tuple[Page, list[str]]
) -> None:
    page, complaints = console
    await add_router(ronda)
    core = await add_host(ronda, "core-1")
    await log_in(page, ronda.owner_password)
    await page.goto("/console/groups/new")
    await page.fill("[name=name]", "Portals")
    await send(page)
    await page.goto("/console/hosts/new")
    await expect(page.locator("[name='http.url']")).to_be_hidden()
    await page.fill("[name=name]", "portal")
    await page.fill("[name=address]", "10.20.0.9 x")
    await page.select_option("[name=probe]", "http")
    await expect(page.locator("[name='dns.name']")).to_be_hidden()
    await page.fill("[name='http.statuses']", "many")
    await send(page)
    await expect(page.locator(fault("address"))).to_be_visible()
    await expect(page.locator(fault("http.statuses"))).to_have_text("■ Write a number.")
    await page.fill("[name=address]", "10.20.0.9")
    await page.fill("[name='http.statuses']", "200, 302")
    await send(page)
    await expect(page.locator(fault("http.url"))).to_be_visible()
    await page.fill("[name='http.url']", "https://portal.example.net/login")
    await page.select_option("[name=group_id]", label="Portals")
    await page.get_by_label("core-1").check()
    await send(page)
    await expect(page.locator("h1")).to_contain_text("portal")
    await expect(page.locator(".facts")).to_contain_text("Portals")
    (made,) = (await ronda.client.get("/api/v1/hosts?name=portal")).json()["items"]
    assert made["http"]["statuses"] == [200, 302]
    assert made["parents"] == [[core["host_id"]]]

    await page.goto(f"/console/hosts/{made['id']}/edit")
    await page.select_option("[name=probe]", "icmp")
    await send(page)
    await expect(page.locator(".facts")).to_contain_text("ping")
    (made,) = (await ronda.client.get("/api/v1/hosts?name=portal")).json()["items"]
    assert (made["probe"], made["http"], made["parents"]) == ("icmp", None, [[core["host_id"]]])
    assert [line for line in complaints if REFUSED not in line] == []


async def test_policy_and_limits_say_what_is_wrong_and_keep_the_rest(
    ronda: Running, console: tuple[Page, list[str]]
) -> None:
    page, _ = console
    router_id = await add_router(ronda)
    await log_in(page, ronda.owner_password)
    await page.goto("/console/policies/new?based_on=infra")
    await page.fill("[name=name]", "towers")
    await page.fill("[name=burst_size]", "99")
    await send(page)
    await expect(page.locator(fault("burst_size"))).to_have_text("■ Between 1 and 20.")
    await page.fill("[name=burst_size]", "8")
    await send(page)
    await expect(page.locator(".policies")).to_contain_text("towers own")
    towers = (await ronda.client.get("/api/v1/policies/towers")).json()
    assert (towers["burst_size"], towers["interval_s"], towers["second_burst_after_s"]) == (8, 1.0, None)

    await page.goto(f"/console/routers/{router_id}/limits")
    await page.fill("[name=cpu_percent]", "")
    await page.fill("[name=voltage_min]", "30")
    await page.fill("[name=voltage_max]", "20")
    await send(page)
    await expect(page.locator(fault("voltage_min"))).to_be_visible()
    await page.fill("[name=voltage_max]", "36")
    await page.fill("[name=known_logins]", "10.0.0.0/24\n10.9.9.9")
    await send(page)
    await expect(page.locator(".note")).to_have_text("● Saved.")
    router = (await ronda.client.get(f"/api/v1/routers/{router_id}")).json()
    assert (router["limits"]["cpu_percent"], router["limits"]["voltage_max"]) == (None, 36.0)
    assert router["limits"]["memory_percent"] == 90.0
    assert router["known_logins"] == ["10.0.0.0/24", "10.9.9.9"]


async def test_announced_work_shows_on_the_board_until_it_is_ended(
    ronda: Running, console: tuple[Page, list[str]]
) -> None:
    page, complaints = console
    await add_router(ronda)
    host = await add_host(ronda, "core-1")
    await ronda.bus.publish(HostDown.model_validate(HostDown.EXAMPLE | host))
    await log_in(page, ronda.owner_password)
    await expect(page.locator(".problem")).to_have_count(1)
    await page.goto("/console/works/new")
    await page.fill("[name=title]", "New antennas")
    await send(page)
    await expect(page.locator(fault("site_ids"))).to_be_visible()
    await page.get_by_label("core-1").check()
    await send(page)
    await expect(page.locator(".work")).to_contain_text("New antennas")
    await page.goto("/console")
    await expect(page.locator(".seg.s-maintenance[data-tip]")).to_have_count(1)
    await expect(page.locator(".in-work")).to_contain_text("New antennas")
    await expect(page.locator(".problem")).to_have_count(0)
    await page.goto("/console/works")
    await page.get_by_role("button", name="End now").click()
    await expect(page.locator("#h-past")).to_be_visible()
    await page.goto("/console")
    await expect(page.locator(".problem")).to_have_count(1)
    assert [line for line in complaints if REFUSED not in line] == []
