"""The Bot API over plain HTTP: every way to send arguments, the limits of texts and buttons, webhooks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from aiohttp import web

from lab.chats.telegram import Limits, Person, TelegramServer

TOKEN = "7000000001:AAlab-token-of-the-night-watch"
CHAT = 6_281_200_001


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramServer]:
    server = TelegramServer(limits=Limits(enabled=False))
    server.add_bot(TOKEN, "ronda_bot", "Ronda")
    server.add_person(Person(CHAT, "Sari"), started=True)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def client(telegram: TelegramServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"{telegram.url}/bot{TOKEN}/") as made:
        yield made


def button(data: str) -> str:
    return json.dumps({"inline_keyboard": [[{"text": "Ack", "callback_data": data}]]})


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param({"data": {"chat_id": CHAT, "text": "halo"}}, id="urlencoded"),
        pytest.param({"json": {"chat_id": CHAT, "text": "halo"}}, id="json"),
        pytest.param({"files": {"chat_id": (None, str(CHAT)), "text": (None, "halo")}}, id="multipart"),
        pytest.param({"params": {"chat_id": CHAT, "text": "halo"}}, id="address"),
    ],
)
async def test_arguments_come_in_every_way(client: httpx.AsyncClient, sent):
    answer = (await client.post("SendMESSAGE", **sent)).json()
    assert answer["ok"] is True
    assert answer["result"]["text"] == "halo"
    assert answer["result"]["chat"] == {"id": CHAT, "first_name": "Sari", "type": "private"}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param({"text": ""}, "message text is empty", id="empty"),
        pytest.param({"text": " \n "}, "message text is empty", id="only space"),
        pytest.param({"text": "x" * 4097}, "message is too long", id="4097 characters"),
        pytest.param({"text": "<b>x", "parse_mode": "HTML"}, "can't parse entities: Can't find", id="html"),
        pytest.param({"text": "x-y", "parse_mode": "MarkdownV2"}, "Character '-' is reserved", id="v2"),
        pytest.param({"text": "x", "parse_mode": "wiki"}, "unsupported parse_mode", id="unknown mode"),
        pytest.param({"text": "x", "reply_markup": button("")}, "BUTTON_DATA_INVALID", id="no data"),
        pytest.param({"text": "x", "reply_markup": button("é" * 33)}, "BUTTON_DATA_INVALID", id="66 bytes"),
        pytest.param({"text": "x", "reply_markup": "{"}, "can't parse reply markup JSON object", id="json"),
        pytest.param({"text": "x", "chat_id": ""}, "chat_id is empty", id="no chat"),
    ],
)
async def test_what_the_real_server_refuses(client: httpx.AsyncClient, fields: dict[str, str], words: str):
    answer = await client.post("sendMessage", data={"chat_id": str(CHAT)} | fields)
    assert answer.status_code == answer.json()["error_code"] == 400
    assert words in answer.json()["description"]


async def test_the_limits_themselves_pass(client: httpx.AsyncClient):
    text = "<b>" + "x" * 4096 + "</b>"
    fields = {"chat_id": str(CHAT), "text": text, "parse_mode": "html", "reply_markup": button("é" * 32)}
    answer = (await client.post("sendMessage", data=fields)).json()
    assert len(answer["result"]["text"]) == 4096


class Receiver:
    """A webhook address that refuses the first tries."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.got: list[tuple[str, str]] = []
        self.tries = 0
        self.arrived = asyncio.Event()

    async def handle(self, request: web.Request) -> web.Response:
        self.tries += 1
        if self.tries <= self.refusals:
            return web.Response(status=500)
        body = await request.json()
        self.got.append((request.headers["X-Telegram-Bot-Api-Secret-Token"], body["message"]["text"]))
        self.arrived.set()
        return web.json_response({"method": "sendMessage", "chat_id": CHAT, "text": "dari webhook"})


@pytest.fixture
async def receiver() -> AsyncIterator[tuple[Receiver, str]]:
    made = Receiver(refusals=1)
    application = web.Application()
    application.router.add_post("/tg", made.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield made, f"http://127.0.0.1:{runner.addresses[0][1]}/tg"
    await runner.cleanup()


async def test_a_webhook_gets_updates_with_its_secret_again_after_a_refusal(
    telegram: TelegramServer, client: httpx.AsyncClient, receiver: tuple[Receiver, str]
):
    hook, url = receiver
    answer = await client.post("setWebhook", data={"url": url, "secret_token": "s3cret_-"})
    assert answer.json() == {"ok": True, "result": True}
    polled = await client.post("getUpdates")
    assert polled.status_code == 409
    assert "can't use getUpdates method while webhook is active" in polled.json()["description"]
    telegram.phones.send(f"tg:{CHAT}", "/menu")
    await asyncio.wait_for(hook.arrived.wait(), 10)
    assert hook.tries == 2
    assert hook.got == [("s3cret_-", "/menu")]
    thread = telegram.threads.get(f"tg:{CHAT}")
    found = await telegram.threads.wait_for(lambda: [b for b in thread.bubbles.values() if b.text == "dari webhook"], 5)
    assert found, "the call in the webhook's answer was not made"
    assert (await client.post("getWebhookInfo")).json()["result"]["pending_update_count"] == 0
    assert (await client.post("deleteWebhook")).json()["ok"] is True
    assert (await client.post("getUpdates")).json() == {"ok": True, "result": []}


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"url": "http://example.org/tg"}, id="plain http"),
        pytest.param({"url": "https://example.org:9000/tg"}, id="port"),
        pytest.param({"url": "https://example.org/tg", "secret_token": "no space"}, id="secret"),
    ],
)
async def test_bad_webhooks_are_refused(client: httpx.AsyncClient, fields: dict[str, str]):
    assert (await client.post("setWebhook", data=fields)).status_code == 400


async def test_a_poll_ends_when_a_webhook_is_set(telegram: TelegramServer, client: httpx.AsyncClient):
    poll = asyncio.create_task(client.post("getUpdates", data={"timeout": "30"}, timeout=20))
    updates = telegram.updates_of(telegram.world.bots[TOKEN])
    await asyncio.wait_for(updates.polling.wait(), 5)
    await client.post("setWebhook", data={"url": "http://127.0.0.1:9/none"})
    answer = await asyncio.wait_for(poll, 5)
    assert answer.json()["description"] == "Conflict: terminated by setWebhook request"
