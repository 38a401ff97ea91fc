"""The relay: from the outbox to the bus, in the order of commits, within milliseconds.

One relay at a time works for a schema, whichever process holds the advisory lock; the others stand by. It is woken
directly by commits of its own process and by NOTIFY for those of others, and looks by itself once a second. Messages
whose subjects end with the same id go one after the other; different ids go at once. A crash between publishing and
deleting repeats messages with the ids they had, which the stream drops as duplicates.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

import asyncpg
import structlog

from shared.bus.ports import Published
from shared.db.faults import translated
from shared.db.identifiers import outbox_channel
from shared.db.pool import Database
from shared.errors import Refused, RondaError, Temporary

log = structlog.get_logger(__name__)

_BATCH = 500
_LOOK_S = 1.0  # a lost NOTIFY or a lost leader costs at most this
_FIRST_DELAY_S = 0.1
_LONGEST_DELAY_S = 2.0
_PUBLISH_S = 10.0
_TIDY_S = 3600.0
INBOX_KEPT = timedelta(days=30)  # longer than any stream keeps a message, so nothing older can come again

_LEAD = "select pg_try_advisory_lock(hashtextextended($1, 1))"
_READ = "select id, message_id, subject, headers, body from outbox where refused is null order by id limit $1"
_DELETE = "delete from outbox where id = any($1::bigint[])"
_SET_ASIDE = "update outbox set refused = $2 where id = $1"
_FORGET = "delete from inbox where seen_at < clock_timestamp() - $1::interval"


class StoredPublisher(Protocol):
    """The part of the bus that the relay needs."""

    async def publish_stored(self, subject: str, headers: Mapping[str, str], body: bytes) -> Published: ...


@dataclass(frozen=True, slots=True)
class Backlog:
    """What the outbox holds. `oldest_s` is the age of the oldest message; `refused` rows wait for a person."""

    waiting: int
    oldest_s: float
    refused: int


@dataclass(frozen=True, slots=True)
class _Row:
    id: int
    message_id: str
    subject: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def lane(self) -> str:
        """Ids come last in a subject: rows of one lane keep their order."""
        return self.subject.rpartition(".")[2]


class OutboxRelay:
    """Publishes what transactions of `database` left behind. Run one per process with a database."""

    def __init__(self, database: Database, bus: StoredPublisher) -> None:
        self._database = database
        self._bus = bus
        self._awake = asyncio.Event()
        self._publishing = False
        self._failing: str | None = None
        self._delay_s = _FIRST_DELAY_S
        database.on_publish(self.wake)

    def wake(self) -> None:
        """Look into the outbox now."""
        self._awake.set()

    @property
    def publishing(self) -> bool:
        """Whether this process is the one that publishes; False while it stands by."""
        return self._publishing

    async def run(self) -> None:
        """Relay until cancelled; survives restarts of database and bus."""
        while True:
            try:
                async with self._elected() as connection:
                    await self._relay(connection)
            except RondaError as error:
                self._tell(error)
            await asyncio.sleep(self._delay_s)
            self._delay_s = min(self._delay_s * 2, _LONGEST_DELAY_S)

    async def backlog(self) -> Backlog:
        """How much waits, for metrics and readiness."""
        row = await self._database.fetchrow(
            "select count(*) filter (where refused is null) as waiting, count(refused) as refused, "
            "coalesce(extract(epoch from clock_timestamp() - min(written_at) filter (where refused is null)), 0) "
            "as oldest_s from outbox"
        )
        assert row is not None  # noqa: S101 — an aggregate always has a row
        return Backlog(row["waiting"], float(row["oldest_s"]), row["refused"])

    @asynccontextmanager
    async def _elected(self) -> AsyncIterator[asyncpg.Connection[Any]]:
        """Wait until no other process relays this schema; the lock goes when the connection does."""
        channel = outbox_channel(self._database.schema)
        async with self._database.own_connection() as connection:
            try:
                with translated():
                    await connection.execute("set synchronous_commit = off")  # a delete that is lost is only repeated
                    while not await connection.fetchval(_LEAD, channel, timeout=_PUBLISH_S):  # noqa: ASYNC110
                        await asyncio.sleep(_LOOK_S)
                    await connection.add_listener(channel, self._notified)
                self._publishing = True
                connection.add_termination_listener(self._notified)
                yield connection
            finally:
                self._publishing = False

    def _notified(self, *_ignored: object) -> None:
        self.wake()

    async def _relay(self, connection: asyncpg.Connection[Any]) -> None:
        """Batch after batch, then wait for the next commit."""
        tidy_at = 0.0
        loop = asyncio.get_running_loop()
        while True:
            self._awake.clear()
            if loop.time() >= tidy_at:
                tidy_at = loop.time() + _TIDY_S
                with translated():
                    await connection.execute(_FORGET, INBOX_KEPT, timeout=_TIDY_S)
            if await self._relay_batch(connection) < _BATCH:
                await self._wait()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(_LOOK_S):
                await self._awake.wait()
        except TimeoutError:
            return

    async def _relay_batch(self, connection: asyncpg.Connection[Any]) -> int:
        """Publish what waits and delete what the bus has; raises the first Temporary error after that."""
        with translated():
            records = await connection.fetch(_READ, _BATCH, timeout=_PUBLISH_S)
        rows = [_row(record) for record in records]
        lanes: dict[str, list[_Row]] = defaultdict(list)
        for row in rows:
            lanes[row.lane].append(row)
        sent: list[int] = []
        results = await asyncio.gather(
            *(self._publish_lane(lane, sent) for lane in lanes.values()), return_exceptions=True
        )
        if sent:
            with translated():
                await connection.execute(_DELETE, sent, timeout=_PUBLISH_S)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        self._recovered()
        return len(rows)

    async def _publish_lane(self, lane: Sequence[_Row], sent: list[int]) -> None:
        """Publish in order; the first failure that may pass stops the lane, one that will not is set aside."""
        for row in lane:
            try:
                async with asyncio.timeout(_PUBLISH_S):
                    await self._bus.publish_stored(row.subject, row.headers, row.body)
            except TimeoutError as late:
                raise Temporary("the bus did not answer in time") from late
            except Refused as error:
                await self._set_aside(row, error)
                continue
            sent.append(row.id)

    async def _set_aside(self, row: _Row, error: Refused) -> None:
        log.error("the bus refuses a message", subject=row.subject, message_id=row.message_id, reason=str(error))
        await self._database.execute(_SET_ASIDE, row.id, f"{error.code}: {error}")

    def _tell(self, error: RondaError) -> None:
        if self._failing != error.code:
            log.warning("messages wait in the outbox", reason=str(error), code=error.code)
        self._failing = error.code

    def _recovered(self) -> None:
        self._delay_s = _FIRST_DELAY_S
        if self._failing is not None:
            log.info("messages leave the outbox again")
        self._failing = None


def _row(record: asyncpg.Record) -> _Row:
    return _Row(record["id"], record["message_id"], record["subject"], json.loads(record["headers"]), record["body"])
