"""The whole notifier on fakes: events go in, what chats show and what the ledger says comes out."""

from __future__ import annotations

from datetime import timedelta

from services.notifier.adapters.directory import InventoryDirectory
from services.notifier.adapters.wording import CatalogueWording
from services.notifier.core.reasons import WhyNot
from services.notifier.handlers import HANDLERS, bound
from services.notifier.handlers.sending import Sender
from shared.contracts.events import HostDown, HostUp
from shared.contracts.ids import ChatId
from shared.contracts.inventory import Chat
from shared.contracts.message import Message
from shared.contracts.notify import DeliveryDue
from shared.contracts.vocabulary import Channel, Subscription
from tests.fakes.clock import FakeClock
from tests.fakes.messenger import MemoryMessenger
from tests.fakes.notifier_facts import EDITABLE, PLAIN
from tests.fakes.notifier_store import MemoryStore

DOWN = HostDown.example()
UP = HostUp.example().model_copy(
    update={"at": DOWN.since + timedelta(seconds=137), "transition": DOWN.transition + 1, "outage_s": 137.0}
)


def chat(chat_id: str, channel: Channel, address: str) -> Chat:
    return Chat(id=ChatId(chat_id), name=chat_id, channel=channel, address=address, receives=frozenset(Subscription))


class Watch:
    """The notifier without its outside."""

    def __init__(self) -> None:
        self.clock = FakeClock(DOWN.at)
        self.store = MemoryStore(self.clock)
        self.telegram, self.whatsapp = MemoryMessenger(EDITABLE), MemoryMessenger(PLAIN)
        self.messengers = {Channel.TELEGRAM: self.telegram, Channel.WHATSAPP: self.whatsapp}
        self.directory = InventoryDirectory()
        for one in (chat("noc", Channel.TELEGRAM, "-1"), chat("admin", Channel.WHATSAPP, "6285711112222")):
            self.directory.take(one.key(), one)
        self.handlers = bound(HANDLERS, store=self.store, directory=self.directory, messengers=self.messengers)
        self.sender = self.new_sender("one")
        self._said = 0

    def new_sender(self, name: str) -> Sender:
        return Sender(
            name=name,
            store=self.store,
            directory=self.directory,
            messengers=self.messengers,
            wordings=CatalogueWording,
            clock=self.clock,
        )

    async def hear(self, event: Message) -> None:
        for handler in self.handlers[type(event)]:
            await handler(event)

    def due(self) -> list[DeliveryDue]:
        """The deliveries that left by the outbox since the last call."""
        fresh, self._said = self.store.kept.outbox[self._said :], len(self.store.kept.outbox)
        return [one for one in fresh if isinstance(one, DeliveryDue)]

    async def send(self) -> None:
        for due in self.due():
            await self.sender.send_due(due)

    def said(self) -> list[Message]:
        """The events that left for the other services."""
        return [one for one in self.store.kept.outbox if not isinstance(one, DeliveryDue)]

    def reasons(self) -> list[WhyNot]:
        return [entry.reason for entry in self.store.kept.ledger]
