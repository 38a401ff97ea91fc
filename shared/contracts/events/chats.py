"""Chats: who wrote, and who cannot be written to."""

from __future__ import annotations

from typing import Any, ClassVar

from shared.contracts.events.event import EXAMPLE_TIME, Event
from shared.contracts.ids import ChatId
from shared.contracts.vocabulary import Channel


class ChatRefused(Event):
    """Somebody who is not registered wrote to the bot and was refused."""

    NAME: ClassVar[str] = "chat.refused"
    SCOPE: ClassVar[tuple[str, ...]] = ("channel", "address")
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "at": EXAMPLE_TIME,
        "channel": "telegram",
        "address": "990001",
        "name": "Orang Asing",
        "command": "ping",
    }

    channel: Channel
    address: str
    name: str
    command: str


class ChatUnusable(Event):
    """A chat cannot be written to any more (blocked, kicked, gone); it is switched off until a person mends it."""

    NAME: ClassVar[str] = "chat.unusable"
    SCOPE: ClassVar[tuple[str, ...]] = ("channel", "chat_id")
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "at": EXAMPLE_TIME,
        "chat_id": "01chat",
        "channel": "telegram",
        "reason": "Forbidden: bot was blocked by the user",
    }

    chat_id: ChatId
    channel: Channel
    reason: str


class ChatMoved(Event):
    """A chat has another address at its channel now (a Telegram group became a supergroup)."""

    NAME: ClassVar[str] = "chat.moved"
    SCOPE: ClassVar[tuple[str, ...]] = ("channel", "chat_id")
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "at": EXAMPLE_TIME,
        "chat_id": "01chat",
        "channel": "telegram",
        "old_address": "-4242",
        "new_address": "-1001234567890",
    }

    chat_id: ChatId
    channel: Channel
    old_address: str
    new_address: str
