"""What the notifier asks of the outside, in its own words. Adapters keep these promises; tests have fakes that do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Protocol

from services.notifier.core.compose import Button
from services.notifier.core.incidents import Incident, Seen
from services.notifier.core.markup import Document
from services.notifier.core.plan import Delivery, Plan, Told
from services.notifier.core.reasons import WhyNot
from services.notifier.core.recipients import Abilities
from services.notifier.core.wording import Wording
from shared.contracts.ids import ChatId, DeliveryId, IncidentId, RouterId, SiteId
from shared.contracts.inventory import Chat, Host, ProbePolicy, Router, Subscriber
from shared.contracts.message import Message
from shared.contracts.vocabulary import Channel, Language, Service
from shared.errors import NotFound, Refused, Rejected

Wordings = Callable[[Language, str], Wording]
"""The wording of a language and a time zone's name (IANA)."""


class ChatGone(Rejected):
    """This chat cannot be written to any more: blocked, kicked, deleted. `words` are the channel's own."""

    code = "chat_gone"


class ChatMoved(Refused):
    """The chat has another address now (a group became a supergroup)."""

    code = "chat_moved"

    def __init__(self, message: str, *, new_address: str) -> None:
        super().__init__(message)
        self.new_address = new_address


class MessageGone(NotFound):
    """The message that should be edited does not exist any more."""

    code = "message_gone"


class Urgency(IntEnum):
    """Who waits for whom at a channel's limits: a person who asked never waits behind a storm."""

    REPLY = 0
    DELIVERY = 1


class Messenger(Protocol):
    """One channel.

    All calls raise Unreachable or Busy when surely nothing was sent, DeadlineExceeded when nobody knows, ChatGone,
    ChatMoved, NotAllowed (our own credentials) or Rejected.
    """

    @property
    def abilities(self) -> Abilities: ...

    async def send(
        self,
        to: str,
        text: Document,
        *,
        reply_to: str | None = None,
        buttons: Sequence[Button] = (),
        urgency: Urgency = Urgency.DELIVERY,
    ) -> str:
        """Send a message that rings; answers the channel's id of it."""
        ...

    async def edit(self, to: str, message_id: str, text: Document, *, buttons: Sequence[Button] = ()) -> None:
        """Replace a message silently; an unchanged text is success. Raises MessageGone if there is none any more."""
        ...

    async def answer_press(self, token: str, text: str) -> None:
        """Tell whoever pressed a button that it was heard; too late is no error."""
        ...


Messengers = Mapping[Channel, Messenger]


class Directory(Protocol):
    """The inventory as last published, in memory: it answers even while its owner is away."""

    def chats(self) -> Sequence[Chat]: ...

    def chat(self, chat_id: ChatId) -> Chat | None: ...

    def chat_at(self, channel: Channel, address: str) -> Chat | None:
        """The chat at a channel's address; phone numbers are compared as numbers."""
        ...

    def subscriber(self, router_id: RouterId, service: Service, name: str) -> Subscriber | None: ...

    def hosts(self) -> Sequence[Host]: ...

    def routers(self) -> Sequence[Router]: ...

    def router(self, router_id: RouterId) -> Router | None: ...

    def site_name(self, site_id: SiteId) -> str: ...

    def policy(self, name: str) -> ProbePolicy:
        """The policy of that name; `standard` if there is none."""
        ...


class Unit(Protocol):
    """One transaction of the store: all of it is kept, with what it published, or nothing."""

    async def first_time(self, consumer: str, message_id: str) -> bool: ...

    async def newest_incident(self, alert_id: str) -> tuple[Incident | None, Seen | None]:
        """The newest incident of an alert and the newest transition handled; nobody else changes this alert until the
        unit ends."""
        ...

    async def saw(self, alert_id: str, seen: Seen) -> None:
        """Remember the newest transition handled."""
        ...

    async def incident_numbered(self, number: int) -> Incident | None:
        """The incident that people call by this number, held as above."""
        ...

    async def incident(self, incident_id: IncidentId) -> Incident | None:
        """The incident of this id, held as above."""
        ...

    async def held_for_outage(self, outage_id: str) -> Sequence[Incident]:
        """The open incidents of hosts that an outage of many kept from being told, held as above."""
        ...

    async def add_incident(self, incident: Incident) -> Incident:
        """Store a new incident; answers it with its number."""
        ...

    async def change_incident(self, incident: Incident) -> None: ...

    async def told(self, incident_id: IncidentId) -> Mapping[ChatId, Told]:
        """What each chat was told of it last; failed deliveries told nothing."""
        ...

    async def unusable(self) -> frozenset[tuple[ChatId, str]]:
        """Chats, with the address at which they refused us."""
        ...

    async def keep(self, plan: Plan) -> None:
        """Store deliveries and ledger, and publish a DeliveryDue for each delivery, in order."""
        ...

    async def settle(self, delivery: Delivery, why: WhyNot, *, words: str, at: datetime) -> None:
        """This delivery will never be sent; the ledger says why."""
        ...

    async def delivery_of_message(self, message_id: str) -> Delivery | None:
        """The delivery that the channel knows by this id."""
        ...

    async def mark_unusable(self, chat_id: ChatId, address: str, *, reason: str, at: datetime) -> bool:
        """Remember that the channel refuses this chat at this address; answers whether that was news."""
        ...

    async def move_chat(self, channel: Channel, old: str, new: str) -> None:
        """Remember that a chat has another address now."""
        ...

    async def publish(self, message: Message) -> None: ...


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery in our hands, with what sending it needs to know."""

    delivery: Delivery
    repeated: bool  # an earlier sending has an unknown end
    first_message_id: str | None  # of the thread's first message in this chat
    is_newest_edit: bool
    address: str  # where the chat is now


@dataclass(frozen=True, slots=True)
class Incoming:
    """Something a person wrote or pressed, whatever the channel. `key` is the channel's own id of it."""

    channel: Channel
    key: str
    address: str  # of the chat
    sender_name: str
    text: str = ""
    button: str | None = None
    button_token: str | None = None  # what the channel wants back when a press is answered
    in_group: bool = False
    language_code: str | None = None
    message_id: str | None = None  # of this message
    reply_to: str | None = None  # the message that this one answers, or that the button belongs to
    bot_name: str | None = None


class Store(Protocol):
    """The notifier's memory: incidents, notification log, ledger, what came in. Raises Unreachable while it is away."""

    def unit(self) -> AbstractAsyncContextManager[Unit]: ...

    async def has_waited(self, message_id: str, patience: timedelta) -> bool:
        """Whether this message was found to be too early that long ago; the first asking starts its time."""
        ...

    async def open_incidents(self) -> Sequence[Incident]: ...

    async def number_of_message(self, chat_id: ChatId, message_id: str) -> int | None:
        """The number of the incident that this message told."""
        ...

    async def claim(self, chat_id: ChatId, up_to: DeliveryId, *, sender: str, now: datetime) -> Claim | None:
        """The oldest unsettled delivery of a chat, not newer than `up_to`. None: all are settled.

        Raises Busy while another sender has it in hand.
        """
        ...

    async def sent(self, delivery_id: DeliveryId, *, message_id: str | None, text_hash: str, now: datetime) -> None: ...

    async def release(self, delivery_id: DeliveryId) -> None:
        """Surely not sent: it waits again, and the next try is no repetition."""
        ...

    async def mark_usable(self, chat_id: ChatId) -> None: ...

    async def current_address(self, channel: Channel, address: str) -> str: ...

    async def former_addresses(self, channel: Channel, address: str) -> Sequence[str]: ...

    async def receive(self, incoming: Sequence[Incoming], *, now: datetime) -> Sequence[Incoming]:
        """Remember what came in; answers what was not known before. Renews the 24-hour window of each address."""
        ...

    async def unanswered(self, channel: Channel, *, since: datetime) -> Sequence[Incoming]: ...

    async def answered(self, channel: Channel, key: str) -> None: ...

    async def last_heard(self, channel: Channel, address: str) -> datetime | None:
        """When this address wrote to us last."""
        ...
