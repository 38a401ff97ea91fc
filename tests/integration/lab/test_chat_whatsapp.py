"""The Cloud API and the gateway as plain HTTP clients find them: checks, window, statuses, signed webhooks."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from aiohttp import web

from lab.chats.faults import Fault
from lab.chats.threads import Threads
from lab.chats.whatsapp import Business, CloudServer, Contacts, GatewayServer, Strictness, Template

PHONE, WABA, SECRET = "106540352242922", "102290129340398", "lab-app-secret"
SARI, STRANGER = "6281234567801", "6281999999999"


@pytest.fixture
async def cloud() -> AsyncIterator[CloudServer]:
    contacts = Contacts()
    contacts.add(SARI, "Sari Wulandari", window_open=True)
    contacts.add("0857-1234-5678", "Budi")
    business = Business(
        Threads(),
        contacts,
        PHONE,
        WABA,
        "+62 811-3000-900",
        "Ronda",
        "lab-token",
        SECRET,
        templates={("noc_alert", "id"): Template("noc_alert", "id", "Gangguan {{1}} di {{2}}", ("Terima",))},
        strictness=Strictness(delivered_after=0.01, read_after=0.01),
    )
    server = CloudServer(business)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def client(cloud: CloudServer) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": "Bearer lab-token"}
    async with httpx.AsyncClient(base_url=f"{cloud.url}/v23.0/", headers=headers) as made:
        yield made


class Callback:
    """The product's side of the webhook; refuses the first `refusals` posts."""

    def __init__(self) -> None:
        self.refusals = 0
        self.values: list[dict[str, Any]] = []
        self.bad_signatures = 0
        self.changed = asyncio.Condition()

    async def verify(self, request: web.Request) -> web.Response:
        if request.query.get("hub.verify_token") != "kata-sandi":
            return web.Response(status=403)
        return web.Response(text=request.query["hub.challenge"])

    async def take(self, request: web.Request) -> web.Response:
        if self.refusals:
            self.refusals -= 1
            return web.Response(status=503)
        raw = await request.read()
        expected = "sha256=" + hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
        self.bad_signatures += request.headers.get("X-Hub-Signature-256") != expected
        async with self.changed:
            self.values.append(json.loads(raw)["entry"][0]["changes"][0]["value"])
            self.changed.notify_all()
        return web.Response()

    async def until(self, wanted) -> dict[str, Any]:
        async with asyncio.timeout(10), self.changed:
            while True:
                for value in self.values:
                    if wanted(value):
                        return value
                await self.changed.wait()


@pytest.fixture
async def callback(client: httpx.AsyncClient) -> AsyncIterator[Callback]:
    made = Callback()
    application = web.Application()
    application.router.add_get("/wa", made.verify)
    application.router.add_post("/wa", made.take)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/wa"
    refused = await client.post(f"{WABA}/subscribed_apps", json={"override_callback_uri": url, "verify_token": "salah"})
    assert refused.json()["error"]["code"] == 2200
    answer = await client.post(
        f"{WABA}/subscribed_apps", json={"override_callback_uri": url, "verify_token": "kata-sandi"}
    )
    assert answer.json() == {"success": True}
    yield made
    await runner.cleanup()


def text(to: str = SARI, body: str = "DOWN core-1", **more: Any) -> dict[str, Any]:
    return {"messaging_product": "whatsapp", "to": to, "type": "text", "text": {"body": body}, **more}


def buttons(*pairs: tuple[str, str]) -> dict[str, Any]:
    made = [{"type": "reply", "reply": {"id": key, "title": title}} for key, title in pairs]
    interactive = {"type": "button", "body": {"text": "DOWN"}, "action": {"buttons": made}}
    return {"messaging_product": "whatsapp", "to": SARI, "type": "interactive", "interactive": interactive}


def template(*values: str, name: str = "noc_alert") -> dict[str, Any]:
    parameters = [{"type": "text", "text": value} for value in values]
    press = {"type": "payload", "payload": "ack:1"}
    components = [
        {"type": "BODY", "parameters": parameters},
        {"type": "button", "sub_type": "QUICK_REPLY", "index": 0, "parameters": [press]},
    ]
    body = {"name": name, "language": {"code": "id"}, "components": components}
    return {"messaging_product": "whatsapp", "to": "085712345678", "type": "template", "template": body}


async def test_a_text_goes_through_sent_delivered_read(
    cloud: CloudServer, client: httpx.AsyncClient, callback: Callback
):
    answer = await client.post(f"{PHONE}/messages", json=text(biz_opaque_callback_data="delivery-7"))
    assert answer.status_code == 200
    body = answer.json()
    assert body["contacts"] == [{"input": SARI, "wa_id": SARI}]
    wamid = body["messages"][0]["id"]
    await callback.until(lambda v: any(s["status"] == "read" for s in v.get("statuses", [])))
    statuses = [s for v in callback.values for s in v["statuses"]]
    assert {s["status"] for s in statuses} == {"sent", "delivered", "read"}
    assert {(s["id"], s["biz_opaque_callback_data"]) for s in statuses} == {(wamid, "delivery-7")}
    assert callback.bad_signatures == 0
    assert cloud.business.threads.get(f"wa:{SARI}").bubbles[wamid].status == "read"


async def test_an_inbound_text_is_delivered_again_until_taken(
    cloud: CloudServer, client: httpx.AsyncClient, callback: Callback
):
    callback.refusals = 1
    wamid = cloud.business.write(SARI, "ping core-1")
    value = await callback.until(lambda v: "messages" in v)
    assert value["contacts"] == [{"profile": {"name": "Sari Wulandari"}, "wa_id": SARI}]
    assert value["messages"][0] | {"timestamp": ""} == {
        "from": SARI,
        "id": wamid,
        "timestamp": "",
        "type": "text",
        "text": {"body": "ping core-1"},
    }
    assert (
        await client.post(
            f"{PHONE}/messages",
            json={
                "messaging_product": "whatsapp",
                "status": "read",
                "message_id": wamid,
            },
        )
    ).json() == {"success": True}


async def test_a_pressed_reply_button_comes_with_its_message(
    cloud: CloudServer, client: httpx.AsyncClient, callback: Callback
):
    sent = (await client.post(f"{PHONE}/messages", json=buttons(("ack:1", "Ack"), ("sil:1", "Silence 1h")))).json()
    wamid = sent["messages"][0]["id"]
    cloud.business.press(SARI, wamid, "ack:1")
    value = await callback.until(lambda v: "messages" in v)
    assert value["messages"][0]["interactive"] == {
        "type": "button_reply",
        "button_reply": {"id": "ack:1", "title": "Ack"},
    }
    assert value["messages"][0]["context"]["id"] == wamid


async def test_outside_the_window_only_a_template_passes_and_its_button_opens_it(
    cloud: CloudServer, client: httpx.AsyncClient, callback: Callback
):
    refused = await client.post(f"{PHONE}/messages", json=text("085712345678"))
    assert refused.json()["error"]["code"] == 131047
    assert refused.json()["error"]["message"] == "(#131047) Re-engagement message"
    sent = await client.post(f"{PHONE}/messages", json=template("core-1", "Waru"))
    wamid = sent.json()["messages"][0]["id"]
    assert cloud.business.threads.get("wa:6285712345678").bubbles[wamid].text == "Gangguan core-1 di Waru"
    cloud.business.press("6285712345678", wamid, "ack:1")
    value = await callback.until(lambda v: "messages" in v)
    assert value["messages"][0]["button"] == {"payload": "ack:1", "text": "Terima"}
    assert (await client.post(f"{PHONE}/messages", json=text("085712345678"))).status_code == 200


async def test_a_number_without_whatsapp_fails_late(client: httpx.AsyncClient, callback: Callback):
    assert (await client.post(f"{PHONE}/messages", json=text(STRANGER))).status_code == 200
    value = await callback.until(lambda v: v["statuses"][0]["status"] == "failed")
    assert value["statuses"][0]["errors"][0]["code"] == 131026


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        pytest.param(text(body=""), 131008, id="empty text"),
        pytest.param(text(body="x" * 4097), 100, id="long text"),
        pytest.param(text() | {"messaging_product": "sms"}, 100, id="product"),
        pytest.param(text() | {"to": ""}, 131008, id="nobody"),
        pytest.param(text("+62 811-3000-900"), 131021, id="to itself"),
        pytest.param(text() | {"type": "poem"}, 100, id="type"),
        pytest.param(text() | {"text": {"body": "x", "color": "red"}}, 100, id="unknown key"),
        pytest.param(buttons(*[(str(n), str(n)) for n in range(4)]), 131009, id="four buttons"),
        pytest.param(buttons(("a", "x" * 21)), 100, id="long title"),
        pytest.param(buttons(("a", "A"), ("a", "B")), 131009, id="same id"),
        pytest.param(template("core-1"), 132000, id="template parameters"),
        pytest.param(template("a", "b\nc"), 100, id="newline in a parameter"),
        pytest.param(template("a", "b", name="unknown"), 132001, id="template name"),
    ],
)
async def test_bad_payloads_earn_their_code(client: httpx.AsyncClient, payload: dict[str, Any], code: int):
    answer = await client.post(f"{PHONE}/messages", json=payload)
    assert answer.status_code >= 400
    assert answer.json()["error"]["code"] == code
    assert answer.json()["error"]["fbtrace_id"]


async def test_tokens_and_ids_are_checked(cloud: CloudServer, client: httpx.AsyncClient):
    wrong = await client.post(f"{PHONE}/messages", json=text(), headers={"Authorization": "Bearer no"})
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, 190)
    other = await client.post("999/messages", json=text())
    assert other.json()["error"]["error_subcode"] == 33
    versionless = await client.post(f"{cloud.url}/{PHONE}/x/messages", json=text())
    assert versionless.status_code in {400, 404}


async def test_the_pair_rate_holds_after_its_burst(cloud: CloudServer, client: httpx.AsyncClient):
    for number in range(45):
        assert (await client.post(f"{PHONE}/messages", json=text(body=str(number)))).status_code == 200
    assert (await client.post(f"{PHONE}/messages", json=text())).json()["error"]["code"] == 131056
    cloud.business.strictness.pair_rate = False
    assert (await client.post(f"{PHONE}/messages", json=text())).status_code == 200


async def test_an_image_is_uploaded_and_sent(cloud: CloudServer, client: httpx.AsyncClient):
    form = {"messaging_product": "whatsapp", "type": "image/png"}
    uploaded = await client.post(f"{PHONE}/media", data=form, files={"file": ("g.png", b"\x89PNG", "image/png")})
    media_id = uploaded.json()["id"]
    image = {"id": media_id, "caption": "RTT core-1"}
    payload = {"messaging_product": "whatsapp", "to": SARI, "type": "image", "image": image}
    wamid = (await client.post(f"{PHONE}/messages", json=payload)).json()["messages"][0]["id"]
    assert cloud.business.threads.get(f"wa:{SARI}").bubbles[wamid].photo == media_id
    found = (await client.get(media_id)).json()
    assert (await client.get(found["url"])).content == b"\x89PNG"
    payload["image"] = {"id": "1"}
    assert (await client.post(f"{PHONE}/messages", json=payload)).json()["error"]["code"] == 131009


@pytest.fixture
async def gateway() -> AsyncIterator[GatewayServer]:
    contacts = Contacts()
    contacts.add("085712345678", "Budi")
    server = GatewayServer(Threads(), contacts, "081130009001", "Kantor Waru")
    await server.start()
    yield server
    await server.stop()


class TestGateway:
    @pytest.mark.parametrize("number", ["085712345678", "6285712345678", "+62 857-1234-5678"])
    async def test_form_and_json_reach_the_same_phone(self, gateway: GatewayServer, number: str):
        fields = {"number": number, "message": "Halo Budi"}
        async with httpx.AsyncClient(base_url=gateway.url) as client:
            for answer in (
                await client.post("/send-message", data=fields),
                await client.post("/send-message", json=fields),
            ):
                assert answer.status_code == 200
                assert answer.json()["status"] is True
                assert answer.json()["response"]["id"]["remote"] == "6285712345678@c.us"
        assert gateway.sent == [("6285712345678", "Halo Budi")] * 2
        assert len(gateway.threads.get("gw:6285712345678").bubbles) == 2

    async def test_refusals_have_the_two_shapes(self, gateway: GatewayServer):
        async with httpx.AsyncClient(base_url=gateway.url) as client:
            empty = await client.post("/send-message", data={"number": "0857"})
            assert (empty.status_code, empty.json()) == (
                422,
                {"status": False, "message": {"message": "Invalid value"}},
            )
            unknown = await client.post("/send-message", data={"number": "0811", "message": "x"})
            assert unknown.json() == {"status": False, "message": "The number is not registered"}
            gateway.faults.order(Fault("server_error"))
            broken = await client.post("/send-message", data={"number": "0811", "message": "x"})
            assert (broken.status_code, broken.json()["status"]) == (500, False)

    async def test_what_a_person_writes_reaches_the_webhook(self, gateway: GatewayServer):
        got: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

        async def take(request: web.Request) -> web.Response:
            got.put_nowait(await request.json())
            return web.Response()

        application = web.Application()
        application.router.add_post("/gw", take)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        gateway.webhook_url = f"http://127.0.0.1:{runner.addresses[0][1]}/gw"
        sent = gateway.write("085712345678", "ping core-1", "3EB0AA")
        body = await asyncio.wait_for(got.get(), 5)
        await runner.cleanup()
        assert body | {"timestamp": 0} == {
            "id": sent,
            "from": "6285712345678@c.us",
            "name": "Budi",
            "message": "ping core-1",
            "timestamp": 0,
            "quoted_id": "3EB0AA",
        }

    async def test_calls_before_the_phone_is_linked_hang(self, gateway: GatewayServer):
        gateway.ready = False
        async with httpx.AsyncClient(base_url=gateway.url) as client:
            held = asyncio.create_task(client.post("/send-message", data={"number": "085712345678", "message": "x"}))
            assert (await client.get("/status")).json() == {"status": False}
            assert not held.done()
            gateway.ready = True
            assert (await asyncio.wait_for(held, 5)).status_code == 200
