"""One transaction of the notifier's memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from services.notifier.adapters.store import rows
from services.notifier.core.incidents import Incident, Seen, Status
from services.notifier.core.plan import Delivery, LedgerEntry, Plan, Told
from services.notifier.core.reasons import WhyNot
from shared.contracts.ids import ChatId, IncidentId
from shared.contracts.message import Message
from shared.contracts.notify import DeliveryDue
from shared.contracts.vocabulary import Channel

if TYPE_CHECKING:
    from shared.db.transaction import Transaction

_HOLD = """
    insert into alerts (id) values ($1) on conflict (id) do update set id = excluded.id
    returning seen_transition, seen_at
"""
_NEWEST = "select number, fact from incidents where alert_id = $1 order by number desc limit 1"
_NUMBERED = "select number, alert_id, fact from incidents where number = $1"
_BY_ID = "select number, alert_id, fact from incidents where id = $1"
_HELD = """
    select number, fact from incidents
    where status <> 'resolved' and fact -> 'details' ->> 'outage_id' = $1 and fact ->> 'held' is not null
    order by number for update
"""
_ADD = """
    insert into incidents (id, alert_id, object_id, site_id, status, opened_at, fact)
    values ($1, $2, $3, $4, $5, $6, $7) returning number
"""
_CHANGE = "update incidents set status = $2, fact = $3 where id = $1"
_TOLD = """
    select chat_id, max(sequence) as last,
        (array_agg(tells order by sequence desc) filter (where state <> 'failed'))[1] as tells
    from deliveries where thread = $1 group by chat_id
"""
_DELIVER = """
    insert into deliveries
        (id, thread, chat_id, sequence, form, reason, severity, tells, event_at, recipient, fact)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
_EXPLAIN = "insert into ledger (at, thread, reason, chat_ids, words) values ($1, $2, $3, $4, $5)"
_SETTLE = "update deliveries set state = $2, settled_at = $3, claimed_by = null where id = $1"
_UNUSABLE = """
    insert into unusable_chats (chat_id, address, reason, at) values ($1, $2, $3, $4)
    on conflict (chat_id) do update set address = excluded.address, reason = excluded.reason, at = excluded.at
    where unusable_chats.address <> excluded.address returning true
"""
_MOVE = """
    insert into moved_chats (channel, old_address, new_address) values ($1, $2, $3)
    on conflict (channel, old_address) do update set new_address = excluded.new_address
"""


class PostgresUnit:
    """What `services.notifier.ports.Unit` promises, on one open transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def first_time(self, consumer: str, message_id: str) -> bool:
        return await self._tx.first_time(consumer, message_id)

    async def newest_incident(self, alert_id: str) -> tuple[Incident | None, Seen | None]:
        held = await self._tx.fetchrow(_HOLD, alert_id)  # the row is the lock
        newest = await self._tx.fetchrow(_NEWEST, alert_id)
        seen = Seen(held["seen_transition"], held["seen_at"]) if held and held["seen_at"] else None
        return (rows.incident_of(newest) if newest else None), seen

    async def saw(self, alert_id: str, seen: Seen) -> None:
        await self._tx.execute(
            "update alerts set seen_transition = $2, seen_at = $3 where id = $1", alert_id, seen.transition, seen.at
        )

    async def incident_numbered(self, number: int) -> Incident | None:
        return await self._held(_NUMBERED, number)

    async def incident(self, incident_id: IncidentId) -> Incident | None:
        return await self._held(_BY_ID, incident_id)

    async def held_for_outage(self, outage_id: str) -> Sequence[Incident]:
        return [rows.incident_of(row) for row in await self._tx.fetch(_HELD, outage_id)]

    async def add_incident(self, incident: Incident) -> Incident:
        subject = incident.subject
        fact = rows.incident_json(incident)
        number = await self._tx.fetchval(
            _ADD,
            incident.id,
            subject.alert_id,
            subject.object_id,
            subject.site_id,
            incident.status,
            incident.opened_at,
            fact,
        )
        return rows.incident_of({"fact": fact, "number": number})

    async def change_incident(self, incident: Incident) -> None:
        await self._tx.execute(_CHANGE, incident.id, incident.status, rows.incident_json(incident))

    async def told(self, incident_id: IncidentId) -> Mapping[ChatId, Told]:
        found = await self._tx.fetch(_TOLD, incident_id)
        return {
            ChatId(row["chat_id"]): Told(row["last"], Status(row["tells"]) if row["tells"] else None) for row in found
        }

    async def unusable(self) -> frozenset[tuple[ChatId, str]]:
        found = await self._tx.fetch("select chat_id, address from unusable_chats")
        return frozenset((ChatId(row["chat_id"]), row["address"]) for row in found)

    async def keep(self, plan: Plan) -> None:
        await self._tx.execute_many(_DELIVER, [rows.delivery_values(one) for one in plan.deliveries])
        for entry in plan.ledger:
            await self._explain(entry)
        for one in plan.deliveries:
            who = one.recipient
            due = DeliveryDue(delivery_id=one.id, channel=who.channel, chat_id=who.chat_id, event_at=one.event_at)
            await self._tx.publish(due)

    async def settle(self, delivery: Delivery, why: WhyNot, *, words: str, at: datetime) -> None:
        # a superseded edit was told by the newer one; everything else was not told at all
        state = "sent" if why is WhyNot.SUPERSEDED else "failed"
        await self._tx.execute(_SETTLE, delivery.id, state, at)
        await self._explain(LedgerEntry(delivery.thread, why, (delivery.recipient.chat_id,), at, words))

    async def delivery_of_message(self, message_id: str) -> Delivery | None:
        row = await self._tx.fetchrow("select * from deliveries where message_id = $1 and state = 'sent'", message_id)
        return rows.delivery_of(row) if row else None

    async def mark_unusable(self, chat_id: ChatId, address: str, *, reason: str, at: datetime) -> bool:
        return bool(await self._tx.fetchval(_UNUSABLE, chat_id, address, reason, at))

    async def move_chat(self, channel: Channel, old: str, new: str) -> None:
        await self._tx.execute(_MOVE, channel, old, new)

    async def publish(self, message: Message) -> None:
        await self._tx.publish(message)

    async def _held(self, query: str, key: int | str) -> Incident | None:
        found = await self._tx.fetchrow(query, key)
        if found is None:
            return None
        await self._tx.fetchrow(_HOLD, found["alert_id"])
        held = await self._tx.fetchrow(query, key)  # again: it may have changed while we waited for the lock
        return rows.incident_of(held) if held else None

    async def _explain(self, entry: LedgerEntry) -> None:
        await self._tx.execute(_EXPLAIN, entry.at, entry.thread, entry.reason, list(entry.chat_ids), entry.words)
