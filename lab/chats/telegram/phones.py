"""What people do with their phones: press Start, write, press buttons, block the bot, change a group."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lab.chats.telegram.formatting import found_entities
from lab.chats.telegram.messages import Mailbox, open_thread, thread_id
from lab.chats.telegram.world import (
    BLOCKED,
    KICKED,
    LEFT,
    MEMBER,
    STRANGER,
    BotAccount,
    Person,
    Room,
    World,
    unix_now,
)

CALLBACK_SECONDS = 15 * 60
"""After about this time a press can no longer be answered."""


class PhoneError(Exception):
    """What a person cannot do with this chat; the sentence says why."""


@dataclass
class Press:
    """A pressed button that waits for its answer."""

    bot_id: int
    thread: str
    message_id: int
    at: float = field(default_factory=time.monotonic)


class Phones:
    """The people's side of Telegram."""

    def __init__(self, mailbox: Mailbox, queue: Callable[[BotAccount, str, dict[str, Any]], None]) -> None:
        self.mailbox = mailbox
        self.world: World = mailbox.world
        self._queue = queue
        self._presses = itertools.count(4_000_000_001)
        self.waiting_presses: dict[str, Press] = {}

    def find(self, thread: str) -> tuple[BotAccount, Room]:
        """The bot and room of a thread id; raises PhoneError when there is none."""
        chat, _, bot_name = thread.removeprefix("tg:").partition("@")
        bots = [b for b in self.world.bots.values() if not bot_name or b.username == bot_name]
        for bot in bots:
            rooms = bot.private if not chat.startswith("-") else self.world.groups
            room = rooms.get(int(chat)) if chat.lstrip("-").isdigit() else None
            if room is not None:
                return bot, room
        raise PhoneError(f"there is no chat {thread}")

    def start(self, thread: str, payload: str = "") -> dict[str, Any]:
        """Press Start in a private chat."""
        return self.send(thread, f"/start {payload}".strip())

    def send(self, thread: str, text: str, person_id: int = 0, reply_to: int = 0, topic: int = 0) -> dict[str, Any]:
        """Write as a person; in a private chat with a new bot this also starts it, as /start does."""
        bot, room = self.find(thread)
        person = self._author(room, person_id)
        text = text.strip()
        if not text:
            raise PhoneError("a message needs text")
        if room.person is not None:
            self._wake(bot, room)
        content: dict[str, Any] = {"text": text}
        entities = found_entities(text, [])
        if entities:
            content["entities"] = entities
        reply = room.messages.get(reply_to)
        topic = topic or (reply or {}).get("message_thread_id", 0)
        message = self.mailbox.write(bot, room, person, content, reply, topic)
        self._tell(room, bot, message)
        return message

    def press(self, thread: str, message_id: int, data: str, person_id: int = 0) -> str:
        """Press a callback button; the id of the callback query."""
        bot, room = self.find(thread)
        person = self._author(room, person_id)
        message = room.messages.get(message_id)
        rows = ((message or {}).get("reply_markup") or {}).get("inline_keyboard") or []
        if not any(button.get("callback_data") == data for row in rows for button in row):
            raise PhoneError("this message has no such button")
        number = str(next(self._presses))
        self.waiting_presses[number] = Press(bot.id, thread_id(bot, room, self.world), message_id)
        owner = next((b for b in self.world.bots.values() if b.id == (message or {})["from"]["id"]), bot)
        self._queue(
            owner,
            "callback_query",
            {
                "id": number,
                "from": person.as_user(),
                "message": message,
                "chat_instance": str(abs(hash((room.id, owner.id)))),
                "data": data,
            },
        )
        return number

    def block(self, thread: str) -> None:
        """Block the bot (private), or throw it out (group)."""
        bot, room = self.find(thread)
        self._change_state(bot, room, BLOCKED if room.person else KICKED)

    def unblock(self, thread: str) -> None:
        """Let the bot write again, or take it back into the group."""
        bot, room = self.find(thread)
        self._change_state(bot, room, MEMBER)

    def set_state(self, thread: str, state: str) -> None:
        """Put the bot into any state of a room (administrator, restricted, left …)."""
        bot, room = self.find(thread)
        self._change_state(bot, room, state)

    def migrate(self, thread: str) -> int:
        """Turn a basic group into a supergroup; the new id."""
        bot, room = self.find(thread)
        if room.kind != "group":
            raise PhoneError("only a basic group can become a supergroup")
        new_id = -1_000_000_000_000 - abs(room.id)
        grown = Room(new_id, "supergroup", room.title, members=dict(room.members), bots=dict(room.bots))
        self.world.groups[new_id] = grown
        sender = next(iter(room.members.values()), None)
        self._tell(room, bot, self.mailbox.write(bot, room, sender, {"migrate_to_chat_id": new_id}))
        room.migrated_to = new_id
        self._tell(grown, bot, self.mailbox.write(bot, grown, sender, {"migrate_from_chat_id": room.id}))
        self._show(bot, room)
        return new_id

    def close_topic(self, thread: str, topic: int) -> None:
        """Close a forum topic by hand."""
        _, room = self.find(thread)
        room.closed_topics.add(topic)

    def take_press(self, bot_id: int, number: str) -> Press | None:
        """The press a bot wants to answer; each can be answered once and not late."""
        press = self.waiting_presses.get(number)
        if press is None or press.bot_id != bot_id:
            return None
        self.waiting_presses.pop(number)
        return press if time.monotonic() - press.at < CALLBACK_SECONDS else None

    def _author(self, room: Room, person_id: int) -> Person:
        if room.person is not None:
            return room.person
        first = next(iter(room.members.values()), None)
        person = room.members.get(person_id) if person_id else first
        if person is None:
            raise PhoneError("that person is not in this group")
        return person

    def _wake(self, bot: BotAccount, room: Room) -> None:
        if room.bots.get(bot.id) != MEMBER:
            self._change_state(bot, room, MEMBER)

    def _change_state(self, bot: BotAccount, room: Room, state: str) -> None:
        old = room.bots.get(bot.id, STRANGER)
        room.bots[bot.id] = state
        self._show(bot, room)
        person = room.person or next(iter(room.members.values()), None)
        if old == state or person is None or (old == STRANGER and room.person):
            return
        self._queue(
            bot,
            "my_chat_member",
            {
                "chat": room.as_chat(),
                "from": person.as_user(),
                "date": unix_now(),
                "old_chat_member": member_object(bot, old),
                "new_chat_member": member_object(bot, state),
            },
        )

    def _show(self, bot: BotAccount, room: Room) -> None:
        thread = open_thread(bot, room, self.world, self.mailbox.threads)
        self.mailbox.threads.touch(thread.id)

    def _tell(self, room: Room, written_by: BotAccount, message: dict[str, Any]) -> None:
        bots = (
            [written_by]
            if room.person
            else [b for b in self.world.bots.values() if room.bots.get(b.id) in {MEMBER, "administrator"}]
        )
        for bot in bots:
            if sees(bot, room, message):
                self._queue(bot, "message", message)


def sees(bot: BotAccount, room: Room, message: dict[str, Any]) -> bool:
    """Privacy mode: in a group the bot gets commands, replies to itself, mentions and service messages."""
    if room.person or not bot.privacy or room.bots.get(bot.id) == "administrator" or "text" not in message:
        return True
    text: str = message["text"]
    if message.get("reply_to_message", {}).get("from", {}).get("id") == bot.id:
        return True
    if text.startswith("/"):
        _, _, aimed_at = text.split()[0].partition("@")
        return not aimed_at or aimed_at.lower() == bot.username.lower()
    return f"@{bot.username}".lower() in text.lower()


def member_object(bot: BotAccount, state: str) -> dict[str, Any]:
    """The ChatMember object of a bot in a state."""
    user = bot.as_user()
    if state in {BLOCKED, KICKED}:
        return {"status": "kicked", "user": user, "until_date": 0}
    if state in {LEFT, STRANGER}:
        return {"status": "left", "user": user}
    if state == "administrator":
        rights = (
            "can_be_edited is_anonymous can_manage_chat can_delete_messages can_manage_video_chats "
            "can_restrict_members can_promote_members can_change_info can_invite_users can_post_stories "
            "can_edit_stories can_delete_stories can_pin_messages can_manage_topics"
        )
        return {"status": state, "user": user} | {r: r not in {"can_be_edited", "is_anonymous"} for r in rights.split()}
    return {"status": "member", "user": user}
