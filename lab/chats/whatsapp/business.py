"""One business number on WhatsApp: what it sends, what people answer, and the statuses that follow."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import secrets
import time
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from lab.chats.threads import Bubble, Button, Thread, Threads
from lab.chats.whatsapp.contacts import Contact, Contacts, digits_of
from lab.chats.whatsapp.errors import CloudError
from lab.chats.whatsapp.payloads import Content, Template
from lab.chats.whatsapp.webhooks import Webhooks

PAIR_BURST = 45
PAIR_SECONDS = 6.0
MESSAGES_PER_SECOND = 80


@dataclass
class Strictness:
    """What is enforced and how fast receipts come (seconds)."""

    pair_rate: bool = True
    throughput: bool = True
    window_error_late: bool = False
    """131047 as a failed status after an accepted call instead of as the answer."""
    delivered_after: float = 0.3
    read_after: float = 1.2


@dataclass
class Business:
    """The sender's side: ids, secrets, templates, contacts."""

    threads: Threads
    contacts: Contacts
    phone_id: str
    waba_id: str
    number: str
    name: str
    token: str
    app_secret: str
    templates: dict[tuple[str, str], Template] = field(default_factory=dict)
    media: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    strictness: Strictness = field(default_factory=Strictness)

    def __post_init__(self) -> None:
        self.webhooks = Webhooks(self.app_secret)
        self._tasks: set[asyncio.Task[None]] = set()
        self._pairs: dict[str, tuple[float, float]] = {}
        self._sent: deque[float] = deque()

    def thread_of(self, contact: Contact) -> Thread:
        """The thread on this person's phone, opened when it is the first message."""
        known = self.threads.get(f"wa:{contact.number}")
        if known is None:
            member = {"id": contact.number, "name": contact.name}
            known = Thread(f"wa:{contact.number}", "whatsapp", "whatsapp", contact.name, members=[member])
            known.subtitle = f"+{contact.number}"
            known.flags = {"bot": self.name}
            self.threads.open(known)
        known.flags |= {"window_until": contact.last_inbound_at + 86_400, "blocked": contact.blocked}
        return known

    def send(self, recipient: str, content: Content, context_id: str, opaque: str) -> tuple[str, str]:
        """Accept a message for a number; its wamid and the number's wa_id. Raises CloudError."""
        number = digits_of(recipient)
        if not 10 <= len(number) <= 15:
            raise CloudError(100, f"The parameter to is not a phone number: {len(number)} digits")
        if number == digits_of(self.number):
            raise CloudError(131021, "Sender and recipient are the same number.")
        self._spend(number)
        contact = self.contacts.get(number)
        late = self._late_error(contact, content)
        wamid = new_wamid(number)
        if late is not None:
            self._later(self._fail(wamid, number, late, opaque))
            return wamid, number
        if contact is not None:
            self._show(contact, content, wamid, context_id)
            self._later(self._receipts(wamid, contact, content, opaque))
        return wamid, number

    def _late_error(self, contact: Contact | None, content: Content) -> CloudError | None:
        if contact is None or contact.blocked:
            return CloudError(131026, "Message undeliverable.")
        if content.free_form and not contact.window_open:
            error = CloudError(
                131047,
                "Message failed to send because more than 24 hours have passed since the customer last "
                "replied to this number.",
            )
            if not self.strictness.window_error_late:
                raise error
            return error
        return None

    def _spend(self, number: str) -> None:
        now = time.monotonic()
        if self.strictness.throughput:
            while self._sent and self._sent[0] <= now - 1:
                self._sent.popleft()
            if len(self._sent) >= MESSAGES_PER_SECOND:
                raise CloudError(130429, "Message failed to send because there were too many messages.")
        level, then = self._pairs.get(number, (float(PAIR_BURST), now))
        level = min(float(PAIR_BURST), level + (now - then) / PAIR_SECONDS)
        if self.strictness.pair_rate and level < 1:
            raise CloudError(131056, "Too many messages sent from this number to the same number.")
        self._pairs[number] = (level - 1, now)
        self._sent.append(now)

    def _show(self, contact: Contact, content: Content, wamid: str, context_id: str) -> None:
        bubble = Bubble(
            id=wamid,
            author=self.name,
            mine=False,
            text=content.text,
            at=time.time(),
            markup="whatsapp",
            buttons=content.buttons,
            header=content.header,
            footer=content.footer,
            photo=content.photo,
            file_name=content.file_name,
            reply_to=context_id,
            from_bot=True,
            status="accepted",
        )
        self.threads.put(self.thread_of(contact).id, bubble)

    def write(self, number: str, text: str, reply_to: str = "") -> str:
        """The person writes; opens the window. The wamid."""
        contact = self._person(number)
        message: dict[str, Any] = {"type": "text", "text": {"body": text}}
        return self._inbound(contact, message, text, reply_to)

    def press(self, number: str, wamid: str, value: str) -> str:
        """The person presses a reply button, a list row or a template's quick reply; raises ValueError."""
        contact = self._person(number)
        bubble = self.thread_of(contact).bubbles.get(wamid)
        button = next((b for b in bubble.buttons if b.value == value), None) if bubble else None
        if button is None:
            raise ValueError("this message has no such button")
        return self._inbound(contact, _press_message(button), button.text, wamid)

    def _person(self, number: str) -> Contact:
        contact = self.contacts.get(number)
        if contact is None:
            raise ValueError(f"{number} is not on WhatsApp")
        return contact

    def _inbound(self, contact: Contact, message: dict[str, Any], text: str, reply_to: str) -> str:
        contact.last_inbound_at = time.time()
        contact.blocked = False
        wamid = new_wamid(contact.number)
        full = {"from": contact.number, "id": wamid, "timestamp": str(int(time.time())), **message}
        if reply_to:
            full["context"] = {"from": digits_of(self.number), "id": reply_to}
        bubble = Bubble(wamid, contact.name, True, text, time.time(), "whatsapp", reply_to=reply_to, status="sent")
        self.threads.put(self.thread_of(contact).id, bubble)
        person = {"profile": {"name": contact.name}, "wa_id": contact.number}
        self.webhooks.deliver(self._envelope({"contacts": [person], "messages": [full]}))
        return wamid

    def mark_read(self, wamid: str) -> bool:
        """The business has read a person's message; False when there is none."""
        for thread in self.threads:
            if wamid in thread.bubbles and thread.bubbles[wamid].mine:
                self.threads.change(thread.id, wamid, status="read")
                return True
        return False

    async def close(self) -> None:
        """Stop receipts and deliveries."""
        for task in list(self._tasks):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self.webhooks.close()

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _receipts(self, wamid: str, contact: Contact, content: Content, opaque: str) -> None:
        self._status(wamid, contact.number, "sent", opaque, content)
        await asyncio.sleep(self.strictness.delivered_after)
        if contact.offline:
            return
        self._status(wamid, contact.number, "delivered", opaque, content)
        await asyncio.sleep(self.strictness.read_after)
        self._status(wamid, contact.number, "read", opaque, content)

    async def _fail(self, wamid: str, number: str, error: CloudError, opaque: str) -> None:
        await asyncio.sleep(self.strictness.delivered_after)
        self._status(wamid, number, "failed", opaque, None, error)

    def _status(
        self,
        wamid: str,
        number: str,
        status: str,
        opaque: str,
        content: Content | None,
        error: CloudError | None = None,
    ) -> None:
        body: dict[str, Any] = {
            "id": wamid,
            "status": status,
            "timestamp": str(int(time.time())),
            "recipient_id": number,
        }
        if opaque:
            body["biz_opaque_callback_data"] = opaque
        if error is not None:
            body["errors"] = [error.in_status()]
        elif content is not None and status != "read":
            category = "service" if content.free_form else content.extra.get("category", "utility").lower()
            pricing = {"billable": True, "pricing_model": "PMP", "category": category, "type": "regular"}
            body["pricing"] = pricing
        self.threads.change(f"wa:{number}", wamid, status=status)
        self.webhooks.deliver(self._envelope({"statuses": [body]}))

    def _envelope(self, value: dict[str, Any]) -> dict[str, Any]:
        metadata = {"display_phone_number": digits_of(self.number), "phone_number_id": self.phone_id}
        change = {
            "value": {"messaging_product": "whatsapp", "metadata": metadata, **value},
            "field": "messages",
        }
        return {
            "object": "whatsapp_business_account",
            "entry": [{"id": self.waba_id, "changes": [change]}],
        }


def _press_message(button: Button) -> dict[str, Any]:
    if button.kind == "template":
        return {"type": "button", "button": {"payload": button.value, "text": button.text}}
    kind = "list_reply" if button.kind == "row" else "button_reply"
    return {"type": "interactive", "interactive": {"type": kind, kind: {"id": button.value, "title": button.text}}}


def new_wamid(number: str) -> str:
    """A message id of the usual look."""
    raw = b"\x1d\x01" + number.encode() + b"\x15\x02\x00" + secrets.token_hex(9).upper().encode()
    return "wamid." + base64.b64encode(raw).decode()
