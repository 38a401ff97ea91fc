"""Story 5: the board in a real browser: the log-in form, every site, router and host, and changes that come alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from tests.e2e.conftest import ON_THE_PRODUCT
from tests.support.provider import Provider

pytestmark = [*ON_THE_PRODUCT, pytest.mark.needs_browser]

CHROMIUM = "/usr/bin/chromium"
OWNER = "owner"
LIVE_MS = 20_000
LOOKS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1440, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1440, "height": 900}},
    "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}, "is_mobile": True},
}
TOO_WIDE = """() => {
  const page = document.documentElement;
  if (page.scrollWidth <= page.clientWidth) return [];
  const sticksOut = (one) => one.getBoundingClientRect().right > page.clientWidth;
  const beyond = [...document.body.querySelectorAll("*")].filter(sticksOut);
  return [`${page.scrollWidth} instead of ${page.clientWidth}`, ...beyond.map((one) => one.outerHTML.slice(0, 120))];
}"""


@pytest_asyncio.fixture(loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()


async def log_in(page: Page, provider: Provider) -> None:
    """Through the form, as a person does."""
    await page.goto(provider.product.stack.api_url + "/console")
    await page.wait_for_url("**/console/login**")
    await page.fill("input[name=login]", OWNER)
    await page.fill("input[name=password]", "not the password")
    await page.click("form.login button[type=submit]")
    await expect(page.get_by_role("alert")).to_be_visible()
    await page.fill("input[name=password]", provider.product.owner_password)
    await page.click("form.login button[type=submit]")
    await page.wait_for_url("**/console")


def watched(page: Page) -> tuple[list[str], list[str]]:
    """What went wrong in the browser, and what it asked other hosts for; filled while the page lives."""
    wrong: list[str] = []
    foreign: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "console", lambda line: wrong.append(line.text) if line.type == "error" and "401" not in line.text else None
    )
    page.on("request", lambda asked: None if "//127.0.0.1:" in asked.url else foreign.append(asked.url))
    return wrong, foreign


@pytest.mark.mission("D2")
async def test_the_board_shows_everything_and_a_change_without_reload(browser: Browser, provider: Provider) -> None:
    context: BrowserContext = await browser.new_context(locale="en-GB")
    page = await context.new_page()
    wrong, foreign = watched(page)
    await log_in(page, provider)
    await expect(page.locator("[data-live-state=on]")).to_be_visible()
    for part in ("sites", "routers"):
        for row in await provider.all(part):
            await expect(page.locator(f"[data-fragment={part}]")).to_contain_text(row["name"])
    hosts = await provider.all("hosts")
    segments = page.locator(".sites .seg[data-tip]")
    await expect(segments).to_have_count(len(hosts))
    tips = " ".join([await segment.get_attribute("data-tip") or "" for segment in await segments.all()])
    assert [host["name"] for host in hosts if host["name"] not in tips] == []
    await expect(page.locator("[data-fragment=events] li")).not_to_have_count(0)

    await page.evaluate("document.body.dataset.untouched = 'yes'")  # a reload would lose it
    name = "ap-gedangan-02"
    problem = page.locator("[data-fragment=problems] article", has_text=name)
    segment = page.locator(f".seg[data-tip*='{name}']")
    await expect(segment).to_have_class("seg s-up")
    await provider.product.lab_do("hosts", name, "cut")
    try:
        await expect(problem).to_be_visible(timeout=LIVE_MS)
        await expect(problem).to_contain_text((await provider.host(name))["address"])
        await expect(segment).to_have_class("seg s-down", timeout=LIVE_MS)
        await expect(page.locator("[data-fragment=events] li", has_text=name).first).to_be_visible(timeout=LIVE_MS)
        await expect(page.locator("[data-fragment=sentence]")).to_contain_text(name, timeout=LIVE_MS)
    finally:
        await provider.product.lab_do("hosts", name, "restore")
    await expect(problem).to_have_count(0, timeout=LIVE_MS)
    await expect(segment).to_have_class("seg s-up", timeout=LIVE_MS)
    assert await page.evaluate("document.body.dataset.untouched") == "yes"
    assert (wrong, foreign) == ([], [])
    await context.close()


@pytest.mark.parametrize("look", LOOKS)
async def test_the_board_fits_every_screen(browser: Browser, provider: Provider, tmp_path: Path, look: str) -> None:
    context = await browser.new_context(locale="id-ID", **LOOKS[look])  # type: ignore[arg-type]
    page = await context.new_page()
    await log_in(page, provider)
    await expect(page.locator("[data-fragment=sites] .body .row")).to_have_count(len(await provider.all("sites")))
    await expect(page.locator("[data-live-state=on]")).to_be_visible()
    picture = tmp_path / f"board-{look}.png"
    await page.screenshot(path=picture, full_page=True)
    assert picture.stat().st_size > 10_000
    assert await page.evaluate(TOO_WIDE) == [], "one has to scroll sideways"
    surface = await page.evaluate(
        "getComputedStyle(document.documentElement).backgroundColor.match(/[0-9.]+/g).map(Number)"
    )
    assert (sum(surface[:3]) / 3 < 100) == (look == "dark"), surface
    assert await page.evaluate("document.documentElement.lang") == "id"
    await context.close()
