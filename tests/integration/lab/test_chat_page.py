"""The chat and network pages in a real browser: read, answer, press, and see changes come in live."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from lab.control.routes import ControlServer
from lab.control.running import Lab, LabSettings

CHROMIUM = Path("/usr/bin/chromium")
SARI = "612880011"
pytestmark = pytest.mark.needs_browser
KEYS = {"inline_keyboard": [[{"text": "Terima", "callback_data": "a:1"}]]}


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    made = Lab(LabSettings(hosts=4, subscribers=6, pace=0, host_kind="tcp", strict=False))
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def address(lab: Lab) -> AsyncIterator[str]:
    control = ControlServer(lab)
    yield await control.start()
    await control.stop()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        made = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield made
        await made.close()


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    made = await browser.new_page()
    errors: list[str] = []
    made.on("pageerror", lambda error: errors.append(str(error)))
    made.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    yield made
    await made.close()
    assert errors == []


@pytest.fixture
async def bot(lab: Lab) -> AsyncIterator[httpx.AsyncClient]:
    token = next(iter(lab.telegram.world.bots))
    async with httpx.AsyncClient(base_url=f"{lab.telegram.url}/bot{token}/", timeout=20) as made:
        yield made


async def test_a_person_reads_presses_and_answers(address: str, page: Page, bot: httpx.AsyncClient):
    await page.goto(f"{address}/chats#tg%3A{SARI}")
    await expect(page.locator("#live")).to_have_text("live")
    text = "<b>DOWN</b> core-1 &lt;img src=x&gt;"
    fields = {"chat_id": SARI, "text": text, "parse_mode": "HTML", "reply_markup": json.dumps(KEYS)}
    sent = (await bot.post("sendMessage", data=fields)).json()["result"]
    bubble = page.locator(".said").last
    await expect(bubble.locator(".text")).to_have_text("DOWN core-1 <img src=x>")
    await expect(bubble.locator(".text b")).to_have_text("DOWN")
    await expect(bubble.locator("img")).to_have_count(0)
    await page.get_by_role("button", name="Terima").click()
    updates = (await bot.post("getUpdates", data={"timeout": "10"})).json()["result"]
    assert updates[0]["callback_query"]["data"] == "a:1"
    answer = {"callback_query_id": updates[0]["callback_query"]["id"], "text": "Dicatat"}
    await bot.post("answerCallbackQuery", data=answer)
    await expect(page.locator(".toast")).to_have_text("Dicatat")
    edit = {"chat_id": SARI, "message_id": str(sent["message_id"]), "text": "UP core-1"}
    await bot.post("editMessageText", data=edit)
    await expect(bubble.locator(".text")).to_have_text("UP core-1")
    await expect(bubble.get_by_role("button", name="edited")).to_be_visible()
    await expect(page.get_by_role("button", name="Terima")).to_have_count(0)
    await page.get_by_label("Message", exact=True).fill("/ping core-1")
    await page.keyboard.press("Enter")
    await expect(page.locator(".said.mine .text")).to_have_text("/ping core-1")
    offset = str(updates[0]["update_id"] + 1)
    updates = (await bot.post("getUpdates", data={"timeout": "10", "offset": offset})).json()["result"]
    assert updates[0]["message"]["text"] == "/ping core-1"


async def test_half_typed_words_survive_what_comes_in(address: str, page: Page, bot: httpx.AsyncClient):
    await page.goto(f"{address}/chats#tg%3A{SARI}")
    await expect(page.locator("#live")).to_have_text("live")
    await page.get_by_label("Message", exact=True).fill("sedang meng")
    await bot.post("sendMessage", data={"chat_id": SARI, "text": "satu"})
    await expect(page.locator(".said .text")).to_have_text("satu")
    await expect(page.get_by_label("Message", exact=True)).to_have_value("sedang meng")
    await expect(page.get_by_label("Message", exact=True)).to_be_focused()


async def test_a_link_is_cut_and_restored_on_the_network_page(address: str, page: Page, lab: Lab):
    await page.goto(address)
    await expect(page.locator("#sentence")).to_contain_text("All well at Guyub Net. 4 hosts, 3 routers")
    tile = page.locator('[data-key="core-1"]')
    await tile.get_by_role("button", name="Cut").click()
    await expect(page.locator("#sentence")).to_contain_text("core-1 cut")
    assert lab.farm.host("core-1").state == "cut"
    await tile.get_by_role("button", name="Restore").click()
    await expect(page.locator("#sentence")).to_contain_text("All well")
    assert lab.farm.host("core-1").state == "up"
