"""The notifier's memory outside of transactions: claims of the sender, what came in, where chats moved to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from services.notifier.adapters.store import rows
from services.notifier.adapters.store.unit import PostgresUnit
from services.notifier.core.incidents import Incident
from services.notifier.ports import Claim, Incoming
from shared.contracts.ids import ChatId, DeliveryId
from shared.contracts.vocabulary import Channel
from shared.errors import Busy

if TYPE_CHECKING:
    from shared.db.pool import Database
    from shared.db.transaction import Transaction

CLAIM = timedelta(seconds=20)  # longer than any request to a chat server may take

_OWED = """
    select * from deliveries
    where chat_id = $1 and state in ('pending', 'sending')
        and serial <= (select serial from deliveries where id = $2)
    order by serial limit 1 for update
"""
_CONTEXT = """
    select
        (select message_id from deliveries
            where thread = $1 and chat_id = $2 and message_id is not null and sequence < $3
            order by sequence limit 1) as first_message_id,
        not exists (select from deliveries
            where thread = $1 and chat_id = $2 and form = 'edit' and sequence > $3) as is_newest_edit,
        coalesce((select new_address from moved_chats where channel = $4 and old_address = $5), $5) as address
"""
_CLAIM = "update deliveries set state = 'sending', claimed_by = $2, claimed_until = $3 where id = $1"
_SENT = """
    update deliveries set state = 'sent', message_id = $2, text_hash = $3, settled_at = $4, claimed_by = null
    where id = $1
"""
_RELEASE = "update deliveries set state = 'pending', claimed_by = null where id = $1 and state = 'sending'"
_RECEIVE = """
    insert into received (channel, key, at, content) values ($1, $2, $3, $4)
    on conflict do nothing returning true
"""
_HEARD = """
    insert into heard (channel, address, at) values ($1, $2, $3)
    on conflict (channel, address) do update set at = greatest(heard.at, excluded.at)
"""
_NUMBER = """
    select incidents.number from deliveries join incidents on incidents.id = deliveries.thread
    where deliveries.chat_id = $1 and deliveries.message_id = $2
"""
_TOO_EARLY = """
    insert into too_early (message_id) values ($1)
    on conflict (message_id) do update set message_id = excluded.message_id
    returning clock_timestamp() - since >= $2
"""
_FORGET = (
    "delete from received where at < clock_timestamp() - $1::interval",
    "delete from too_early where since < clock_timestamp() - $1::interval",
    "delete from ledger where at < clock_timestamp() - $1::interval",
    "delete from deliveries where settled_at < clock_timestamp() - $1::interval",
)
KEPT = timedelta(days=14)


class PostgresStore:
    """What `services.notifier.ports.Store` promises."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[PostgresUnit]:
        """One transaction."""
        async with self._database.transaction() as tx:
            yield PostgresUnit(tx)

    async def has_waited(self, message_id: str, patience: timedelta) -> bool:
        return bool(await self._database.fetchval(_TOO_EARLY, message_id, patience))

    async def open_incidents(self) -> Sequence[Incident]:
        found = await self._database.fetch("select number, fact from incidents where status <> 'resolved'")
        return [rows.incident_of(row) for row in found]

    async def number_of_message(self, chat_id: ChatId, message_id: str) -> int | None:
        number: int | None = await self._database.fetchval(_NUMBER, chat_id, message_id)
        return number

    async def claim(self, chat_id: ChatId, up_to: DeliveryId, *, sender: str, now: datetime) -> Claim | None:
        async with self._database.transaction() as tx:
            row = await tx.fetchrow(_OWED, chat_id, up_to)
            if row is None:
                return None
            if row["state"] == "sending" and row["claimed_by"] != sender and row["claimed_until"] > now:
                left_s = (row["claimed_until"] - now).total_seconds()
                raise Busy("another notifier has this chat in hand", retry_after=left_s)
            await tx.execute(_CLAIM, row["id"], sender, now + CLAIM)
            return await _claim_of(tx, row)

    async def sent(self, delivery_id: DeliveryId, *, message_id: str | None, text_hash: str, now: datetime) -> None:
        await self._database.execute(_SENT, delivery_id, message_id, text_hash, now)

    async def release(self, delivery_id: DeliveryId) -> None:
        await self._database.execute(_RELEASE, delivery_id)

    async def mark_usable(self, chat_id: ChatId) -> None:
        await self._database.execute("delete from unusable_chats where chat_id = $1", chat_id)

    async def current_address(self, channel: Channel, address: str) -> str:
        query = "select new_address from moved_chats where channel = $1 and old_address = $2"
        moved: str | None = await self._database.fetchval(query, channel, address)
        return moved or address

    async def former_addresses(self, channel: Channel, address: str) -> Sequence[str]:
        query = "select old_address from moved_chats where channel = $1 and new_address = $2"
        return [row["old_address"] for row in await self._database.fetch(query, channel, address)]

    async def receive(self, incoming: Sequence[Incoming], *, now: datetime) -> Sequence[Incoming]:
        news = []
        async with self._database.transaction() as tx:
            for one in incoming:
                if await tx.fetchval(_RECEIVE, one.channel, one.key, now, rows.incoming_json(one)):
                    news.append(one)
                    await tx.execute(_HEARD, one.channel, one.address, now)
        return news

    async def unanswered(self, channel: Channel, *, since: datetime) -> Sequence[Incoming]:
        query = "select content from received where channel = $1 and not answered and at >= $2 order by at"
        return [rows.incoming_of(row) for row in await self._database.fetch(query, channel, since)]

    async def answered(self, channel: Channel, key: str) -> None:
        await self._database.execute(
            "update received set answered = true where channel = $1 and key = $2", channel, key
        )

    async def last_heard(self, channel: Channel, address: str) -> datetime | None:
        query = "select at from heard where channel = $1 and address = $2"
        at: datetime | None = await self._database.fetchval(query, channel, address)
        return at

    async def forget_old(self) -> None:
        """Drop what is older than the log is kept."""
        for statement in _FORGET:
            await self._database.execute(statement, KEPT)


async def _claim_of(tx: Transaction, row: rows.Row) -> Claim:
    delivery = rows.delivery_of(row)
    who = delivery.recipient
    context = await tx.fetchrow(_CONTEXT, row["thread"], who.chat_id, row["sequence"], who.channel, who.address)
    return Claim(
        delivery=delivery,
        repeated=row["state"] == "sending",
        first_message_id=context["first_message_id"] if context else None,
        is_newest_edit=bool(context and context["is_newest_edit"]),
        address=context["address"] if context else who.address,
    )
