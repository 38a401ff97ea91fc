"""Who exists on this Telegram: people, bots, private chats, groups, topics, and what a bot may do where."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Any

from lab.chats.telegram.errors import ApiError, bad_request, forbidden

MEMBER, ADMIN, STRANGER, BLOCKED, KICKED, LEFT = (
    "member",
    "administrator",
    "stranger",
    "blocked",
    "kicked",
    "left",
)
TOKEN = re.compile(r"^\d{1,16}:[A-Za-z0-9_-]{3,80}$")


@dataclass(frozen=True)
class Person:
    """A Telegram user who is no bot."""

    id: int
    first_name: str
    last_name: str = ""
    username: str = ""
    language: str = "id"

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()

    def as_user(self) -> dict[str, Any]:
        """The User object of the Bot API."""
        user: dict[str, Any] = {"id": self.id, "is_bot": False, "first_name": self.first_name}
        if self.last_name:
            user["last_name"] = self.last_name
        if self.username:
            user["username"] = self.username
        return {**user, "language_code": self.language}


@dataclass
class Room:
    """A chat as one bot sees it (private) or as all see it (groups)."""

    id: int
    kind: str
    title: str = ""
    person: Person | None = None
    members: dict[int, Person] = field(default_factory=dict)
    bots: dict[int, str] = field(default_factory=dict)
    forum: bool = False
    topics: dict[int, str] = field(default_factory=dict)
    closed_topics: set[int] = field(default_factory=set)
    migrated_to: int = 0
    messages: dict[int, dict[str, Any]] = field(default_factory=dict)
    last_message: int = 0

    @property
    def is_group(self) -> bool:
        """Group or supergroup."""
        return self.kind in {"group", "supergroup"}

    def as_chat(self) -> dict[str, Any]:
        """The Chat object of the Bot API."""
        if self.person is not None:
            user = self.person.as_user()
            names: dict[str, Any] = {key: user[key] for key in ("first_name", "last_name", "username") if key in user}
            return {"id": self.id, **names, "type": "private"}
        chat: dict[str, Any] = {"id": self.id, "title": self.title, "type": self.kind}
        if self.forum:
            chat["is_forum"] = True
        if self.kind == "group":
            chat["all_members_are_administrators"] = False
        return chat

    def check_may_write(self, bot_id: int) -> None:
        """Raise what the real server says when this bot may not write here."""
        state = self.bots.get(bot_id, STRANGER)
        if self.migrated_to:
            raise bad_request("group chat was upgraded to a supergroup chat", migrate_to_chat_id=self.migrated_to)
        if self.person is not None:
            if state == BLOCKED:
                raise forbidden("bot was blocked by the user")
            if state == STRANGER:
                raise forbidden("bot can't initiate conversation with a user")
            return
        if state == STRANGER:
            raise bad_request("chat not found")
        if state == KICKED:
            raise forbidden(f"bot was kicked from the {self.kind} chat")
        if state == LEFT:
            raise forbidden(f"bot is not a member of the {self.kind} chat")
        if state == "restricted":
            raise bad_request("not enough rights to send text messages to the chat")

    def check_topic(self, thread_id: int) -> None:
        """Raise when the topic is not one that can be written to."""
        if not thread_id:
            return
        if thread_id not in self.topics:
            raise bad_request("message thread not found")
        if thread_id in self.closed_topics:
            raise bad_request("TOPIC_CLOSED")


@dataclass
class Webhook:
    """Where updates are delivered instead of polled."""

    url: str
    secret: str = ""
    max_connections: int = 40
    last_error_at: int = 0
    last_error: str = ""


@dataclass
class BotAccount:
    """A bot, its rooms with single people, its waiting updates."""

    id: int
    token: str
    username: str
    first_name: str
    privacy: bool = True
    private: dict[int, Room] = field(default_factory=dict)
    updates: list[dict[str, Any]] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)
    next_update: int = 0
    next_message: int = 1
    commands: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    webhook: Webhook | None = None

    def as_user(self) -> dict[str, Any]:
        """The User object inside messages."""
        return {"id": self.id, "is_bot": True, "first_name": self.first_name, "username": self.username}


@dataclass
class World:
    """Everything that exists."""

    people: dict[int, Person] = field(default_factory=dict)
    groups: dict[int, Room] = field(default_factory=dict)
    bots: dict[str, BotAccount] = field(default_factory=dict)
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)

    def add_person(self, person: Person) -> Person:
        """A new user; every bot gets a room with them, not yet started."""
        self.people[person.id] = person
        for bot in self.bots.values():
            bot.private.setdefault(person.id, Room(person.id, "private", person=person))
        return person

    def add_bot(self, token: str, username: str, first_name: str, *, privacy: bool = True) -> BotAccount:
        """A new bot; raises ValueError when the token has not Telegram's shape."""
        if not TOKEN.match(token):
            raise ValueError("a bot token is digits, a colon and a secret")
        bot_id = int(token.split(":", 1)[0])
        bot = BotAccount(bot_id, token, username, first_name, privacy, next_update=bot_id % 900_000_000 + 1)
        for person in self.people.values():
            bot.private[person.id] = Room(person.id, "private", person=person)
        self.bots[token] = bot
        return bot

    def bot(self, token: str) -> BotAccount:
        """The bot of a token; raises 401 or 404 as the real server does."""
        if not TOKEN.match(token):
            raise ApiError(404, "Not Found")
        found = self.bots.get(token)
        if found is None:
            raise ApiError(401, "Unauthorized")
        return found

    def room(self, bot: BotAccount, chat: str) -> Room:
        """The room a bot names by `chat_id`; raises 400 when there is none for it."""
        chat = chat.strip()
        if not chat:
            raise bad_request("chat_id is empty")
        if chat.startswith("@"):
            raise bad_request("chat not found")
        try:
            number = int(chat)
        except ValueError as error:
            raise bad_request("chat not found") from error
        room = bot.private.get(number) if number > 0 else self.groups.get(number)
        if room is None or (room.is_group and bot.id not in room.bots):
            raise bad_request("chat not found")
        return room

    def next_message_id(self, bot: BotAccount, room: Room) -> int:
        """Supergroups count for themselves, private chats and basic groups share one count."""
        if room.kind == "supergroup":
            room.last_message += 1
            return room.last_message
        if room.kind == "group":
            bot = min((b for b in self.bots.values() if b.id in room.bots), key=lambda b: b.id, default=bot)
        number = bot.next_message
        bot.next_message += 1
        return number


def unix_now() -> int:
    """Seconds since 1970, as dates travel in the Bot API."""
    return int(time.time())
