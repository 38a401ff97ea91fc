"""One door to all chats for pages and tests: write as a person, press a button, block, whatever the channel."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from lab.chats.telegram import TelegramServer
from lab.chats.telegram.phones import PhoneError
from lab.chats.threads import Bubble, Thread, Threads
from lab.chats.whatsapp import CloudServer, GatewayServer

STATES = {"member", "administrator", "blocked", "kicked", "left", "restricted", "stranger"}


class DeskError(Exception):
    """What cannot be done in this chat; the sentence says why."""


class ChatDesk:
    """The three chat servers behind one set of verbs. Thread ids begin with tg:, wa: or gw:."""

    def __init__(self, telegram: TelegramServer, cloud: CloudServer, gateway: GatewayServer) -> None:
        self.telegram = telegram
        self.cloud = cloud
        self.gateway = gateway
        self.threads: Threads = telegram.threads

    def thread(self, thread_id: str) -> Thread:
        """The thread; raises DeskError."""
        found = self.threads.get(thread_id)
        if found is None:
            raise DeskError(f"there is no chat {thread_id}")
        return found

    def send(self, thread_id: str, text: str, person: str = "", reply_to: str = "") -> str:
        """Write as the person who holds this phone (in groups: as `person`); the new bubble's id."""
        thread = self.thread(thread_id)
        try:
            if thread.channel == "telegram":
                author, answered = int(person or 0), int(reply_to or 0)
                sent = self.telegram.phones.send(thread_id, text, author, answered)
                return str(sent["message_id"])
            number = thread_id.partition(":")[2]
            if thread.kind == "gateway":
                return self.gateway.write(number, text, reply_to)
            return self.cloud.business.write(number, text, reply_to)
        except (PhoneError, ValueError) as error:
            raise DeskError(str(error)) from error

    def press(self, thread_id: str, bubble_id: str, value: str, person: str = "") -> str:
        """Press a button of a bubble; the id of the callback query or of the reply."""
        thread = self.thread(thread_id)
        try:
            if thread.channel == "telegram":
                return self.telegram.phones.press(thread_id, int(bubble_id), value, int(person or 0))
            return self.cloud.business.press(thread_id.partition(":")[2], bubble_id, value)
        except (PhoneError, ValueError) as error:
            raise DeskError(str(error)) from error

    def set_state(self, thread_id: str, state: str) -> None:
        """Block, unblock, kick, promote …; WhatsApp knows blocked, member, offline and closed (the window)."""
        thread = self.thread(thread_id)
        if thread.channel == "telegram":
            if state not in STATES:
                raise DeskError(f"unknown state {state!r}: one of {', '.join(sorted(STATES))}")
            self.telegram.phones.set_state(thread_id, state)
            return
        contact = self.cloud.business.contacts.get(thread_id.partition(":")[2])
        if contact is None:
            raise DeskError("this chat has no person")
        contact.blocked = state == "blocked"
        contact.offline = state == "offline"
        if state == "closed":
            contact.last_inbound_at = 0.0
        thread.flags |= {"state": state, "blocked": contact.blocked}
        thread.flags["window_until"] = contact.last_inbound_at + 86_400
        self.threads.touch(thread_id)

    def migrate(self, thread_id: str) -> int:
        """Turn a Telegram group into a supergroup; the new chat id."""
        try:
            return self.telegram.phones.migrate(thread_id)
        except PhoneError as error:
            raise DeskError(str(error)) from error

    def file(self, file_id: str) -> tuple[str, bytes] | None:
        """A photo or file of any channel: content type and bytes."""
        return self.telegram.world.files.get(file_id) or self.cloud.business.media.get(file_id)


def bubble_json(bubble: Bubble) -> dict[str, Any]:
    """A bubble as the page and the tests get it."""
    return asdict(bubble)


def thread_json(thread: Thread) -> dict[str, Any]:
    """A thread without its bubbles, with the last one."""
    visible = [b for b in thread.bubbles.values() if not b.deleted]
    return {
        "id": thread.id,
        "channel": thread.channel,
        "kind": thread.kind,
        "title": thread.title,
        "subtitle": thread.subtitle,
        "flags": thread.flags,
        "members": thread.members,
        "seq": thread.seq,
        "count": len(thread.bubbles),
        "last": bubble_json(visible[-1]) if visible else None,
    }
