"""The console in a real browser, kept up to date by real events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright, expect

from shared.contracts.events import AlertAcknowledged, AlertOpened, HostDown, HostUp, SessionOpened
from shared.contracts.queries import (
    AcknowledgeAlert,
    AlertTaken,
    PingReport,
    PingTarget,
    RouterFound,
    TestRouter,
)
from shared.errors import NotAllowed, NotFound
from shared.telemetry.health import serving
from tests.integration.api.conftest import Running
from tests.integration.api.test_api_accounts import add_account, add_router
from tests.integration.api.test_api_alerts import answering

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
    await page.locator(".routers .copy").focus()

    await ronda.bus.publish(HostDown.model_validate(HostDown.EXAMPLE | host | {"transition": 2}))
    await expect(page.locator("h1")).to_contain_text("1 problem: core-1 down")
    await expect(page.locator(".problem")).to_contain_text("cable cut, device off")
    await expect(page.locator(".sites .bar .seg.s-down")).to_have_count(1)
    await expect(page.locator(".events li").filter(has_text="core-1 down")).to_have_count(1)
    assert await page.title() == "■ 1 · Ronda"
    assert untouched is not None
    assert await untouched.is_visible(), "a row that did not change was replaced"
    await expect(page.locator(".routers .copy")).to_be_focused()

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


async def troubled(ronda: Running) -> tuple[dict[str, Any], AlertOpened]:
    """core-1 is down with ap-1 behind it, and the notifier has told of it."""
    await add_router(ronda)
    host, child = await add_host(ronda, "core-1"), await add_host(ronda, "ap-1")
    await ronda.client.patch(f"/api/v1/hosts/{child['host_id']}", json={"parents": [[host["host_id"]]]})
    for each in (host, child):
        await ronda.bus.publish(HostDown.model_validate(HostDown.EXAMPLE | each))
    about = {"object_id": host["host_id"], "site_id": host["site_id"]}
    opened = AlertOpened.model_validate(AlertOpened.EXAMPLE | about)
    await ronda.bus.publish(opened)
    return host, opened


async def test_alert_is_taken_on_from_its_card_and_from_a_chat(ronda: Running, console: tuple[Page, list[str]]) -> None:
    page, complaints = console
    _, opened = await troubled(ronda)

    async def take(query: AcknowledgeAlert) -> AlertTaken:
        if query.incident_id != opened.incident_id:
            raise NotFound("there is no such alert")
        return AlertTaken(incident_id=query.incident_id, number=4821, by=query.by, at=opened.at)

    await log_in(page, ronda.owner_password)
    card = page.locator(".problem")
    await expect(card).to_have_count(1)
    await expect(card).to_contain_text("NOC Waru, Sari")
    await expect(card).to_contain_text("1 host")
    await expect(page.locator(".sites .bar .seg.s-unreachable")).to_have_count(1)
    async with answering(ronda, AcknowledgeAlert, take):
        await page.keyboard.press("j")
        await expect(card).to_be_focused()
        await page.keyboard.press("a")
        await expect(card).to_contain_text("Taken on by")
        await expect(card).to_be_focused()
    await expect(card.get_by_role("button", name="Acknowledge")).to_have_count(0)

    other = await add_host(ronda, "core-2")
    await ronda.bus.publish(HostDown.model_validate(HostDown.EXAMPLE | other))
    about = {"object_id": other["host_id"], "incident_id": "i2", "number": 4822}
    await ronda.bus.publish(AlertOpened.model_validate(AlertOpened.EXAMPLE | about))
    second = page.locator(".problem").filter(has_text="core-2")
    await expect(second.get_by_role("button", name="Acknowledge")).to_be_visible()
    await ronda.bus.publish(AlertAcknowledged.model_validate(AlertAcknowledged.EXAMPLE | about | {"by": "Budi"}))
    await expect(second).to_contain_text("Budi")
    assert complaints == []


async def test_ping_answers_in_the_card_and_survives_its_refresh(
    ronda: Running, console: tuple[Page, list[str]]
) -> None:
    page, complaints = console
    host, opened = await troubled(ronda)

    async def ping(query: PingTarget) -> PingReport:
        return PingReport(target=query.target, address=query.target, sent=4, received=3, rtt_avg_ms=1.84)

    await log_in(page, ronda.owner_password)
    card = page.locator(".problem")
    async with answering(ronda, PingTarget, ping):
        await card.get_by_role("button", name="Ping now").click()
        await expect(card.locator(".ping")).to_contain_text("3 of 4 answered, 1.8 ms")
    about = {"object_id": host["host_id"], "incident_id": opened.incident_id, "by": "Budi"}
    await ronda.bus.publish(AlertAcknowledged.model_validate(AlertAcknowledged.EXAMPLE | about))
    await expect(card).to_contain_text("Budi")
    await expect(card.locator(".ping")).to_contain_text("3 of 4 answered")
    assert complaints == []


async def test_card_works_without_a_script(ronda: Running, console: tuple[Page, list[str]]) -> None:
    page, _ = console
    _, opened = await troubled(ronda)
    browser = page.context.browser
    assert browser is not None
    plain = await browser.new_context(base_url=page.url.split("/console")[0], locale="en-GB", java_script_enabled=False)
    page = await plain.new_page()
    await page.goto("/console/login")
    await log_in(page, ronda.owner_password)

    async def ping(query: PingTarget) -> PingReport:
        return PingReport(target=query.target, address=query.target, sent=4, received=0)

    async def take(query: AcknowledgeAlert) -> AlertTaken:
        if query.incident_id != opened.incident_id:
            raise NotFound("there is no such alert")
        return AlertTaken(incident_id=query.incident_id, number=4821, by=query.by, at=opened.at)

    async with answering(ronda, PingTarget, ping), answering(ronda, AcknowledgeAlert, take):
        await page.get_by_role("button", name="Ping now").click()
        await expect(page.locator(".ping")).to_contain_text("no answer to 4 pings")
        await page.get_by_role("button", name="Acknowledge").click()
        await expect(page.locator(".problem")).to_contain_text("Taken on by")
    forged = await page.request.post(f"/console/alerts/{opened.incident_id}/acknowledge", form={"csrf": "guessed"})
    assert forged.status == 403


async def test_keys_search_and_copy(ronda: Running, console: tuple[Page, list[str]]) -> None:
    page, complaints = console
    await add_account(ronda, await add_router(ronda))
    await add_host(ronda, "core-1")
    await log_in(page, ronda.owner_password)
    await page.keyboard.press("?")
    await expect(page.locator("dialog.keys")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("dialog.keys")).to_be_hidden()
    await page.keyboard.press("/")
    await page.keyboard.type("budi")
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_contain_text("Found for “budi”")
    await page.locator("[data-copy]").first.click()
    await expect(page.locator("[data-said]")).to_have_text("budi@paket10 copied")
    await page.goto("/console/search?q=10.20.0.1")
    await expect(page.locator(".found .row")).to_contain_text("core-1")
    await page.goto("/console/search?q=<b>nobody")
    await expect(page.locator("h1")).to_contain_text("Nothing is called “<b>nobody”.")
    await page.keyboard.press("g")
    await page.keyboard.press("b")
    await page.wait_for_url("**/console")
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
