"""The console in a real browser, kept up to date by real events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright, expect

from shared.contracts.events import HostDown, HostUp, SessionOpened
from shared.contracts.queries import RouterFound, TestRouter
from shared.errors import NotAllowed
from shared.telemetry.health import serving
from tests.integration.api.conftest import Running
from tests.integration.api.test_api_accounts import add_account, add_router

pytestmark = pytest.mark.needs_browser
expect.set_options(timeout=20_000)  # milliseconds
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture
async def console(ronda: Running) -> AsyncIterator[tuple[Page, list[str]]]:
    """The log-in page, and what the browser complained of (a broken policy would be there)."""
    complaints: list[str] = []
    async with serving(ronda.api.app, "127.0.0.1", 0) as url, async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        context = await browser.new_context(base_url=url, locale="en-GB", viewport={"width": 1440, "height": 900})
        page = await context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto("/")
        yield page, complaints
        await browser.close()


async def log_in(page: Page, password: str) -> None:
    await page.fill("[name=login]", "owner")
    await page.fill("[name=password]", password)
    await page.click("form.login button")
    await page.wait_for_url("**/console")


async def add_host(ronda: Running, name: str) -> dict[str, Any]:
    site = (await ronda.client.get("/api/v1/sites")).json()["items"][0]
    body = {"site_id": site["id"], "name": name, "address": "10.20.0.1"}
    host = (await ronda.client.post("/api/v1/hosts", json=body)).json()
    return {"host_id": host["id"], "host_name": name, "site_id": site["id"], "site_name": site["name"]}


@pytest.mark.mission("C1", "F")
async def test_board_follows_the_network_without_reloading(ronda: Running, console: tuple[Page, list[str]]) -> None:
    page, complaints = console
    router_id = await add_router(ronda)
    host, other = await add_host(ronda, "core-1"), await add_host(ronda, "core-2")
    for each in (host, other):
        await ronda.bus.publish(HostUp.model_validate(HostUp.EXAMPLE | each | {"transition": 1}))
    await log_in(page, ronda.owner_password)
    await expect(page.locator("h1")).to_contain_text("All quiet.")
    await expect(page.locator("[data-live-state]")).to_have_attribute("data-live-state", "on")
    await expect(page.locator(".sites .bar .seg.s-up")).to_have_count(2)
    untouched = await page.locator(".routers .row[data-key]").element_handle()
    await page.locator(".copy").focus()

    await ronda.bus.publish(HostDown.model_validate(HostDown.EXAMPLE | host | {"transition": 2}))
    await expect(page.locator("h1")).to_contain_text("1 problem: core-1 down")
    await expect(page.locator(".problem")).to_contain_text("cable cut, device off")
    await expect(page.locator(".sites .bar .seg.s-down")).to_have_count(1)
    await expect(page.locator(".events li").filter(has_text="core-1 down")).to_have_count(1)
    assert await page.title() == "■ 1 · Ronda"
    assert untouched is not None
    assert await untouched.is_visible(), "a row that did not change was replaced"
    await expect(page.locator(".copy")).to_be_focused()

    opened = SessionOpened.model_validate(SessionOpened.EXAMPLE | {"router_id": router_id, "site_id": host["site_id"]})
    await ronda.bus.publish(opened)
    await expect(page.locator(".routers .sessions").last).to_contain_text("1")
    await ronda.bus.publish(HostUp.model_validate(HostUp.EXAMPLE | host | {"transition": 3}))
    await expect(page.locator("h1")).to_contain_text("All quiet.")
    await expect(page.locator(".problem")).to_have_count(0)
    assert complaints == []


@pytest.mark.mission("E4")
async def test_switch_isolates_a_customer(ronda: Running, console: tuple[Page, list[str]]) -> None:
    page, complaints = console
    account = await add_account(ronda, await add_router(ronda))
    await log_in(page, ronda.owner_password)
    await page.goto("/console/customers?q=budi")
    await page.get_by_role("button", name="Isolate").click()
    await expect(page.locator(".customers .state")).to_contain_text("isolated")
    await expect(page.locator(".customers .applied")).to_contain_text("waiting for the router")
    after = (await ronda.client.get(f"/api/v1/accounts/{account['id']}")).json()
    assert (after["status"], after["generation"]) == ("disabled", 2)
    assert complaints == []


async def test_phone_has_a_bottom_bar_and_nothing_to_scroll_sideways(
    ronda: Running, console: tuple[Page, list[str]]
) -> None:
    page, _ = console
    await add_router(ronda)
    await log_in(page, ronda.owner_password)
    await page.set_viewport_size({"width": 390, "height": 844})
    box = await page.locator(".rail").bounding_box()
    assert box is not None
    assert box["y"] > 700
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390


async def test_chosen_language_is_kept(ronda: Running, console: tuple[Page, list[str]]) -> None:
    page, _ = console
    await log_in(page, ronda.owner_password)
    await page.goto("/console/settings")
    await page.select_option("[name=language]", "id")
    await page.click("form.card button")
    await expect(page.locator("html")).to_have_attribute("lang", "id")
    await page.goto("/console")
    await expect(page.locator("h1")).to_contain_text("Belum ada yang dipantau.")


async def test_first_load_is_small(ronda: Running, console: tuple[Page, list[str]]) -> None:
    page, _ = console
    await add_router(ronda)
    await log_in(page, ronda.owner_password)
    first = len((await page.content()).encode())
    addresses = await page.locator("link[href], script[src], img[src]").evaluate_all(
        "found => [...new Set(found.map(each => each.href || each.src))]"
    )
    sizes = [len(await (await page.request.get(address)).body()) for address in addresses]
    assert len(sizes) == 3, "style, script and icon"
    assert first + sum(sizes) < 150_000


@pytest.mark.mission("A2")
async def test_first_router_is_tried_found_and_watched(ronda: Running, console: tuple[Page, list[str]]) -> None:
    page, complaints = console
    passwords: list[str] = []

    async def answer(query: TestRouter) -> RouterFound:
        passwords.append(query.router.sealed_password)
        if query.router.username == "intruder":
            raise NotAllowed("invalid user name or password (6)")
        return RouterFound(
            identity="waru-gw", version="6.49.18", board="RB951Ui-2HnD", uptime_s=60, hotspot_users=212, took_ms=41.0
        )

    serving_queries = asyncio.create_task(ronda.bus.serve(TestRouter, answer, queue="provisioner"))
    try:
        await log_in(page, ronda.owner_password)
        await page.fill("[name=host]", "192.168.88.1")
        await page.fill("[name=username]", "intruder")
        await page.fill("[name=password]", "sangat-rahasia")
        await page.get_by_role("button", name="Test").click()
        await expect(page.locator(".trouble")).to_contain_text("invalid user name or password (6)")

        await page.fill("[name=username]", "ronda")
        await page.fill("[name=password]", "sangat-rahasia")
        await page.get_by_role("button", name="Test").click()
        await expect(page.locator(".start")).to_contain_text("RB951Ui-2HnD, RouterOS 6.49.18, 212 hotspot users")
        assert "sangat-rahasia" not in await page.content()
        await page.get_by_role("button", name="Watch this router").click()
        await expect(page.locator(".routers .row[data-key]")).to_contain_text("waru-gw")
    finally:
        serving_queries.cancel()
        await asyncio.gather(serving_queries, return_exceptions=True)
    [router] = (await ronda.client.get("/api/v1/routers")).json()["items"]
    assert (router["name"], router["host"], router["port"]) == ("waru-gw", "192.168.88.1", 8728)
    assert [text for text in complaints if "422" not in text] == []
