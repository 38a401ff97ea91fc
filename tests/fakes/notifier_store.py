"""The notifier's memory without a database: the same promises, transactions included."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from services.notifier.core.incidents import Incident, Seen, Status
from services.notifier.core.plan import Delivery, LedgerEntry, Plan, Told
from services.notifier.core.reasons import Form, WhyNot
from services.notifier.ports import Claim, Incoming
from shared.clock import Clock
from shared.contracts.ids import ChatId, DeliveryId, IncidentId
from shared.contracts.message import Message
from shared.contracts.notify import DeliveryDue
from shared.contracts.vocabulary import Channel
from shared.errors import Busy

CLAIM = timedelta(seconds=20)


@dataclass
class Logged:
    """A row of the notification log."""

    delivery: Delivery
    state: str = "pending"
    claimed_by: str | None = None
    claimed_until: datetime | None = None
    message_id: str | None = None


@dataclass
class Kept:
    """All that is kept; copied to undo a failed unit."""

    incidents: dict[IncidentId, Incident] = field(default_factory=dict)
    seen: dict[str, Seen] = field(default_factory=dict)
    log: list[Logged] = field(default_factory=list)
    ledger: list[LedgerEntry] = field(default_factory=list)
    inbox: set[tuple[str, str]] = field(default_factory=set)
    outbox: list[Message] = field(default_factory=list)
    unusable: dict[ChatId, str] = field(default_factory=dict)
    moved: dict[tuple[Channel, str], str] = field(default_factory=dict)


class MemoryUnit:
    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    async def first_time(self, consumer: str, message_id: str) -> bool:
        new = (consumer, message_id) not in self._kept.inbox
        self._kept.inbox.add((consumer, message_id))
        return new

    async def newest_incident(self, alert_id: str) -> tuple[Incident | None, Seen | None]:
        mine = [one for one in self._kept.incidents.values() if one.subject.alert_id == alert_id]
        return max(mine, key=lambda one: one.number, default=None), self._kept.seen.get(alert_id)

    async def saw(self, alert_id: str, seen: Seen) -> None:
        self._kept.seen[alert_id] = seen

    async def incident_numbered(self, number: int) -> Incident | None:
        return next((one for one in self._kept.incidents.values() if one.number == number), None)

    async def incident(self, incident_id: IncidentId) -> Incident | None:
        return self._kept.incidents.get(incident_id)

    async def held_for_outage(self, outage_id: str) -> Sequence[Incident]:
        return [
            one
            for one in self._kept.incidents.values()
            if one.status is not Status.RESOLVED and one.held and one.details.get("outage_id") == outage_id
        ]

    async def add_incident(self, incident: Incident) -> Incident:
        stored = replace(incident, number=len(self._kept.incidents) + 1)
        self._kept.incidents[stored.id] = stored
        return stored

    async def change_incident(self, incident: Incident) -> None:
        self._kept.incidents[incident.id] = incident

    async def told(self, incident_id: IncidentId) -> Mapping[ChatId, Told]:
        result: dict[ChatId, Told] = {}
        for row in self._kept.log:
            fact = row.delivery.fact
            if row.delivery.thread != incident_id or not isinstance(fact, Incident):
                continue
            before = result.get(row.delivery.recipient.chat_id)
            status: Status | None = before.status if before else None
            if row.state != "failed":
                status = fact.status
            result[row.delivery.recipient.chat_id] = Told(row.delivery.sequence, status)
        return result

    async def unusable(self) -> frozenset[tuple[ChatId, str]]:
        return frozenset(self._kept.unusable.items())

    async def keep(self, plan: Plan) -> None:
        self._kept.log += [Logged(one) for one in plan.deliveries]
        self._kept.ledger += plan.ledger
        for one in plan.deliveries:
            who = one.recipient
            self._kept.outbox.append(
                DeliveryDue(delivery_id=one.id, channel=who.channel, chat_id=who.chat_id, event_at=one.event_at)
            )

    async def settle(self, delivery: Delivery, why: WhyNot, *, words: str, at: datetime) -> None:
        row = next(row for row in self._kept.log if row.delivery.id == delivery.id)
        row.state = "sent" if why is WhyNot.SUPERSEDED else "failed"
        self._kept.ledger.append(LedgerEntry(delivery.thread, why, (delivery.recipient.chat_id,), at, words))

    async def delivery_of_message(self, message_id: str) -> Delivery | None:
        return next((row.delivery for row in self._kept.log if row.message_id == message_id), None)

    async def mark_unusable(self, chat_id: ChatId, address: str, *, reason: str, at: datetime) -> bool:
        news = self._kept.unusable.get(chat_id) != address
        self._kept.unusable[chat_id] = address
        return news

    async def move_chat(self, channel: Channel, old: str, new: str) -> None:
        self._kept.moved[(channel, old)] = new

    async def publish(self, message: Message) -> None:
        self._kept.outbox.append(message)


class MemoryStore:
    """`kept` is open to tests; `crash_at` makes the next unit fail at its end, as a lost database does."""

    def __init__(self, clock: Clock) -> None:
        self.kept = Kept()
        self._clock = clock
        self.early: dict[str, datetime] = {}
        self.received: dict[tuple[Channel, str], tuple[datetime, Incoming]] = {}
        self.done: set[tuple[Channel, str]] = set()

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[MemoryUnit]:
        before = copy.deepcopy(self.kept)
        try:
            yield MemoryUnit(self.kept)
        except BaseException:
            self.kept = before
            raise

    async def has_waited(self, message_id: str, patience: timedelta) -> bool:
        now = self._clock.now()
        return now - self.early.setdefault(message_id, now) >= patience

    async def open_incidents(self) -> Sequence[Incident]:
        return [one for one in self.kept.incidents.values() if one.status is not Status.RESOLVED]

    async def number_of_message(self, chat_id: ChatId, message_id: str) -> int | None:
        for row in self.kept.log:
            if (row.delivery.recipient.chat_id, row.message_id) == (chat_id, message_id):
                incident = self.kept.incidents.get(IncidentId(row.delivery.thread))
                return incident.number if incident else None
        return None

    async def claim(self, chat_id: ChatId, up_to: DeliveryId, *, sender: str, now: datetime) -> Claim | None:
        index = next((i for i, row in enumerate(self.kept.log) if row.delivery.id == up_to), -1)
        owed = [
            row
            for row in self.kept.log[: index + 1]
            if row.delivery.recipient.chat_id == chat_id and row.state in ("pending", "sending")
        ]
        if not owed:
            return None
        row = owed[0]
        if row.state == "sending" and row.claimed_by != sender and row.claimed_until and row.claimed_until > now:
            raise Busy("another notifier has this chat in hand", retry_after=(row.claimed_until - now).total_seconds())
        claim = self._claim(row)
        row.state, row.claimed_by, row.claimed_until = "sending", sender, now + CLAIM
        return claim

    def _claim(self, row: Logged) -> Claim:
        mine = row.delivery
        who = mine.recipient
        siblings = [
            other
            for other in self.kept.log
            if other.delivery.thread == mine.thread and other.delivery.recipient.chat_id == who.chat_id
        ]
        earlier = [one.message_id for one in siblings if one.message_id and one.delivery.sequence < mine.sequence]
        newer = [one for one in siblings if one.delivery.form is Form.EDIT and one.delivery.sequence > mine.sequence]
        return Claim(
            delivery=mine,
            repeated=row.state == "sending",
            first_message_id=earlier[0] if earlier else None,
            is_newest_edit=not newer,
            address=self.kept.moved.get((who.channel, who.address), who.address),
        )

    async def sent(self, delivery_id: DeliveryId, *, message_id: str | None, text_hash: str, now: datetime) -> None:
        row = next(row for row in self.kept.log if row.delivery.id == delivery_id)
        row.state, row.message_id = "sent", message_id

    async def release(self, delivery_id: DeliveryId) -> None:
        row = next(row for row in self.kept.log if row.delivery.id == delivery_id)
        if row.state == "sending":
            row.state, row.claimed_by = "pending", None

    async def mark_usable(self, chat_id: ChatId) -> None:
        self.kept.unusable.pop(chat_id, None)

    async def current_address(self, channel: Channel, address: str) -> str:
        return self.kept.moved.get((channel, address), address)

    async def former_addresses(self, channel: Channel, address: str) -> Sequence[str]:
        return [old for (where, old), new in self.kept.moved.items() if where is channel and new == address]

    async def receive(self, incoming: Sequence[Incoming], *, now: datetime) -> Sequence[Incoming]:
        news = [one for one in incoming if (one.channel, one.key) not in self.received]
        self.received |= {(one.channel, one.key): (now, one) for one in news}
        return news

    async def unanswered(self, channel: Channel, *, since: datetime) -> Sequence[Incoming]:
        return [
            one
            for key, (at, one) in self.received.items()
            if key[0] is channel and at >= since and key not in self.done
        ]

    async def answered(self, channel: Channel, key: str) -> None:
        self.done.add((channel, key))

    async def last_heard(self, channel: Channel, address: str) -> datetime | None:
        times = [at for at, one in self.received.values() if (one.channel, one.address) == (channel, address)]
        return max(times, default=None)
