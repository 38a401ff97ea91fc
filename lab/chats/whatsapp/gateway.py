"""The `/send-message` gateway that many small providers run: whatsapp-web.js behind express.

The shapes follow the public copies of ngekoding/whatsapp-api: no authentication, 200, 422 or 500. The original has no
webhook; like some forks this one posts what people write to `webhook_url`, when one is set.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import time
from typing import Any

import aiohttp
from aiohttp import web

from lab.chats.faults import Fault, Faults, hold_or_cut
from lab.chats.serving import Listener
from lab.chats.threads import Bubble, Thread, Threads
from lab.chats.whatsapp.contacts import Contacts, digits_of

WEBHOOK_PAUSES_SECONDS = (1.0, 5.0, 0.0)


class GatewayServer:
    """A gateway on one WhatsApp number. `ready` False holds every call, as before the QR code is read."""

    def __init__(self, threads: Threads, contacts: Contacts, number: str, name: str) -> None:
        self.threads = threads
        self.contacts = contacts
        self.number = digits_of(number)
        self.name = name
        self.groups: dict[str, str] = {}
        self.faults = Faults()
        self.webhook_url = ""
        self._posts: set[asyncio.Task[None]] = set()
        self._away = False
        self.sent: list[tuple[str, str]] = []
        """Number and text of the last accepted messages."""
        self._ready = asyncio.Event()
        self._ready.set()
        self._listener = Listener(self._application())

    @property
    def url(self) -> str:
        """Where scripts post to, without the path."""
        return self._listener.url

    @property
    def ready(self) -> bool:
        """Whether the phone is linked."""
        return self._ready.is_set()

    @ready.setter
    def ready(self, value: bool) -> None:
        if value:
            self._ready.set()
        else:
            self._ready.clear()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen; the address."""
        return await self._listener.start(host, port)

    async def stop(self) -> None:
        """Close the port, letting go of held calls and of webhooks on their way."""
        self._ready.set()
        for task in list(self._posts):
            task.cancel()
        await asyncio.gather(*self._posts, return_exceptions=True)
        await self._listener.stop()

    def add_contact(self, number: str, name: str) -> None:
        """A person with a thread from the beginning; others get one with their first message."""
        contact = self.contacts.add(number, name)
        self._thread(contact.number, contact.name)

    def write(self, number: str, text: str, reply_to: str = "") -> str:
        """The person answers; the webhook is told when there is one."""
        contact = self.contacts.get(number)
        name = contact.name if contact else number
        thread = self._thread(digits_of(number), name)
        bubble = Bubble(_new_id(), name, True, text, time.time(), "whatsapp", reply_to=reply_to, status="delivered")
        body: dict[str, Any] = {"id": bubble.id, "from": f"{digits_of(number)}@c.us", "name": name, "message": text}
        body |= {"timestamp": int(bubble.at)} | ({"quoted_id": reply_to} if reply_to else {})
        if self.webhook_url:
            task = asyncio.create_task(self._post(body))
            self._posts.add(task)
            task.add_done_callback(self._posts.discard)
        return self.threads.put(thread.id, bubble).id

    async def _post(self, body: dict[str, Any]) -> None:
        """Tell the webhook, three times at most, as a small script would."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15)) as session:
            for pause in WEBHOOK_PAUSES_SECONDS:
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    if not self._away:
                        async with session.post(self.webhook_url, json=body) as answer:
                            if answer.status < 300:
                                return
                await asyncio.sleep(pause)

    def set_away(self, away: bool) -> None:
        """Cut callers off from the gateway, or let them back."""
        self.faults.clear("away")
        self._away = away
        if away:
            self.faults.order(Fault("away", times=0))

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=20 * 1024 * 1024)
        application.router.add_post("/send-message", self._send_message)
        application.router.add_post("/send-group-message", self._send_group_message)
        application.router.add_post("/send-media", self._send_media)
        application.router.add_post("/clear-message", self._clear)
        application.router.add_get("/status", self._status)
        return application

    async def _send_message(self, request: web.Request) -> web.StreamResponse:
        fault = self.faults.take("send-message", "")
        if fault is not None:
            held = await hold_or_cut(fault, request)
            return held or web.json_response({"status": False, "response": {"name": "Error"}}, status=500)
        fields = await _fields(request)
        wrong = {name: "Invalid value" for name in ("number", "message") if not fields.get(name, "").strip()}
        if wrong:
            return _refused(wrong)
        await self._ready.wait()
        contact = self.contacts.get(fields["number"])
        if contact is None:
            return _refused("The number is not registered")
        thread = self._thread(contact.number, contact.name)
        return self._accepted(thread, f"{contact.number}@c.us", fields["message"])

    async def _send_group_message(self, request: web.Request) -> web.StreamResponse:
        fields = await _fields(request)
        if not fields.get("id") and not fields.get("name"):
            return _refused({"id": "Invalid value, you can use `id` or `name`"})
        if not fields.get("message"):
            return _refused({"message": "Invalid value"})
        await self._ready.wait()
        by_name = next((key for key, title in self.groups.items() if title == fields.get("name")), "")
        group = fields.get("id") or by_name
        if group not in self.groups:
            return _refused(f"No group found with name: {fields.get('name') or group}")
        thread = self._thread(group, self.groups[group])
        return self._accepted(thread, group, fields["message"])

    async def _send_media(self, request: web.Request) -> web.StreamResponse:
        fields = await _fields(request)
        await self._ready.wait()
        contact = self.contacts.get(fields.get("number", ""))
        if contact is None:
            return _refused("The number is not registered")
        thread = self._thread(contact.number, contact.name)
        file_name = fields.get("file", "").rsplit("/", 1)[-1]
        return self._accepted(thread, f"{contact.number}@c.us", fields.get("caption", ""), file_name)

    async def _clear(self, request: web.Request) -> web.StreamResponse:
        fields = await _fields(request)
        if not fields.get("number"):
            return _refused({"number": "Invalid value"})
        return web.json_response({"status": True, "response": True})

    async def _status(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"status": self.ready})

    def _thread(self, key: str, title: str) -> Thread:
        thread = Thread(f"gw:{key}", "whatsapp", "gateway", title, subtitle=f"+{key} via {self.name}")
        if "@" in key:
            thread.subtitle = f"group via {self.name}"
        thread.flags = {"bot": self.name}
        return self.threads.open(thread)

    def _accepted(self, thread: Thread, to: str, text: str, file_name: str = "") -> web.Response:
        key = _new_id()
        self.sent.append((to.split("@")[0], text))
        del self.sent[:-1000]
        bubble = Bubble(
            key, self.name, False, text, time.time(), "whatsapp", from_bot=True, status="delivered", file_name=file_name
        )
        self.threads.put(thread.id, bubble)
        serialized = {"fromMe": True, "remote": to, "id": key, "_serialized": f"true_{to}_{key}"}
        response = {
            "_data": {"id": serialized, "body": text, "type": "chat", "ack": 0},
            "id": serialized,
            "ack": 0,
            "hasMedia": False,
            "body": text,
            "type": "chat",
            "timestamp": int(time.time()),
            "from": f"{self.number}@c.us",
            "to": to,
            "fromMe": True,
        }
        return web.json_response({"status": True, "response": response})


def _refused(message: Any) -> web.Response:
    return web.json_response({"status": False, "message": message}, status=422)


async def _fields(request: web.Request) -> dict[str, str]:
    """Form or JSON; what does not parse counts as empty, as express leaves it."""
    if request.content_type == "application/json":
        try:
            body = json.loads(await request.read() or b"{}")
        except ValueError:
            return {}
        return {key: str(value) for key, value in body.items()} if isinstance(body, dict) else {}
    form = await request.post()
    return {key: str(value) for key, value in form.items()}


def _new_id() -> str:
    return "3EB0" + secrets.token_hex(8).upper()
