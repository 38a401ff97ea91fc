"""A transaction that publishes and remembers.

Messages are put into their final form when `publish` is called, so that id, time and cause are those of the change.
They are written as rows just before the commit, all with one statement and under one lock that lasts until the commit:
row numbers therefore grow in the order of commits, which is what lets the relay keep that order. Taken last, the lock
can not make a deadlock with the rows the transaction changed.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import asyncpg

from shared.bus.context import current_envelope
from shared.clock import Clock
from shared.contracts.envelope import Envelope
from shared.contracts.message import Message
from shared.db.faults import CONNECTION_GONE, translated
from shared.db.identifiers import outbox_channel

_LOCK = "select pg_advisory_xact_lock(hashtextextended($1, 0))"
_WRITE = """
    insert into outbox (message_id, subject, headers, body)
    select message_id, subject, headers, body
      from unnest($1::text[], $2::text[], $3::text[]::jsonb[], $4::bytea[])
           with ordinality as made (message_id, subject, headers, body, place)
     order by place
"""
_NOTIFY = "select pg_notify($1, '')"
_REMEMBER = """
    insert into inbox (consumer, message_id) values ($1, $2) on conflict do nothing returning true
"""


@dataclass(frozen=True, slots=True)
class _Outgoing:
    subject: str
    envelope: Envelope
    headers: Mapping[str, str]
    body: str


class Transaction:
    """What may be done inside `async with database.transaction() as tx`."""

    def __init__(self, connection: asyncpg.Connection[Any], *, schema: str, source: str, clock: Clock) -> None:
        self._connection = connection
        self._schema = schema
        self._source = source
        self._clock = clock
        self._outgoing: list[_Outgoing] = []

    async def fetch(self, query: str, *args: Any) -> list[asyncpg.Record]:
        """All rows."""
        with translated():
            return await self._connection.fetch(query, *args)

    async def fetchrow(self, query: str, *args: Any) -> asyncpg.Record | None:
        """The first row."""
        with translated():
            return await self._connection.fetchrow(query, *args)

    async def fetchval(self, query: str, *args: Any) -> Any:
        """The first column of the first row."""
        with translated():
            return await self._connection.fetchval(query, *args)

    async def execute(self, query: str, *args: Any) -> str:
        """Run one statement; answers PostgreSQL's command tag."""
        with translated():
            return await self._connection.execute(query, *args)

    async def execute_many(self, query: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement once per row of arguments, in one round trip."""
        with translated():
            await self._connection.executemany(query, rows)

    async def copy(self, table: str, rows: Iterable[Sequence[Any]], columns: Sequence[str]) -> None:
        """Append many rows with COPY."""
        with translated():
            await self._connection.copy_records_to_table(
                table, schema_name=self._schema, records=rows, columns=list(columns)
            )

    async def copy_binary(self, table: str, pieces: AsyncIterable[bytes], columns: Sequence[str]) -> None:
        """Append rows that are in PostgreSQL's binary COPY format already, header and trailer included."""
        with translated():
            await self._connection.copy_to_table(
                table, schema_name=self._schema, source=pieces, columns=list(columns), format="binary"
            )

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """A part that may fail alone: what it raises undoes this part, messages included, and not the whole."""
        before = len(self._outgoing)
        inner = self._connection.transaction()
        with translated():
            await inner.start()
        try:
            yield
        except BaseException:
            del self._outgoing[before:]
            with suppress(*CONNECTION_GONE):
                await inner.rollback()
            raise
        with translated():
            await inner.commit()

    async def publish(
        self, message: Message, *, cause: Envelope | None = None, headers: Mapping[str, str] | None = None
    ) -> Envelope:
        """Leave a message to be published once this transaction is committed, in the order of the calls.

        It continues the story of `cause`, or else of the message being handled now. `headers` are added to the
        envelope's, for what a stream offers besides (an expiry, a schedule).
        """
        envelope = Envelope.around(
            message, source=self._source, now=self._clock.now(), cause=cause or current_envelope()
        )
        self._outgoing.append(_Outgoing(message.subject, envelope, dict(headers or {}), message.model_dump_json()))
        return envelope

    async def first_time(self, consumer: str, message_id: str) -> bool:
        """Whether `consumer` sees this message for the first time; remembered if and only if the transaction commits.

        Where two processes handle the same message at once, the second waits here for the first one's commit.
        """
        return bool(await self.fetchval(_REMEMBER, consumer, message_id))

    @property
    def has_published(self) -> bool:
        """Whether messages wait for the commit."""
        return bool(self._outgoing)

    async def write_outbox(self) -> None:
        """Write what was published as rows. The last thing that happens before the commit."""
        if not self._outgoing:
            return
        channel = outbox_channel(self._schema)
        await self.execute(_LOCK, channel)
        await self.execute(
            _WRITE,
            [each.envelope.id for each in self._outgoing],
            [each.subject for each in self._outgoing],
            [json.dumps({**each.envelope.headers(), **each.headers}) for each in self._outgoing],
            [each.body.encode() for each in self._outgoing],
        )
        await self.execute(_NOTIFY, channel)
