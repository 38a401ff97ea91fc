"""What the bot's commands work with: the ports bound once, and one question at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from services.notifier.core.markup import Document
from services.notifier.core.wording import Wording
from services.notifier.ports import Directory, Incoming, Messengers, Store, Wordings
from shared.bus.ports import Bus
from shared.clock import Clock
from shared.contracts.inventory import Chat
from shared.contracts.vocabulary import Language


@dataclass(frozen=True, slots=True)
class Desk:
    """The ports of the bot."""

    store: Store
    directory: Directory
    messengers: Messengers
    wordings: Wordings
    bus: Bus
    clock: Clock
    language: Language  # for who never said which
    time_zone: str


@dataclass(frozen=True, slots=True)
class Ask:
    """A command of a chat that may give it."""

    chat: Chat
    arguments: tuple[str, ...]
    incoming: Incoming
    say: Wording


CommandHandler = Callable[[Ask, Desk], Awaitable[Document]]
