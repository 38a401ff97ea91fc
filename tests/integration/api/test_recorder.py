"""Measurements on a real PostgreSQL: written, rolled up, drawn, dropped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from services.api.adapters.keeper import Keeper
from services.api.adapters.opening import MIGRATIONS
from services.api.adapters.partitions import Partitions
from services.api.adapters.rollup_rows import roll_up
from services.api.adapters.sample_rows import SampleRows
from services.api.core.backlog import Backlog
from services.api.core.measurements import MINUTES, Kept
from services.api.handlers.recorder import Recorder
from shared.contracts.samples import HostSlices, RouterReadings
from shared.db import Database, migrate
from shared.telemetry import Metrics
from tests.fakes.clock import FakeClock
from tests.support.waiting import until

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
KEPT = Kept(raw_days=2, minutes_days=14, fives_days=90, hours_days=730, history_days=365)


class Books:
    """A recorder and a keeper on one database, with a clock of their own."""

    def __init__(self, database: Database, connection: asyncpg.Connection[Any]) -> None:
        self.database = database
        self.connection = connection
        self.clock = FakeClock(NOW)
        self.backlog = Backlog(100_000)
        partitions = Partitions(database, KEPT)
        store = SampleRows(database, partitions, self.backlog)
        metrics = Metrics()
        self.recorder = Recorder(self.backlog, store, clock=self.clock, metrics=metrics)
        self.keeper = Keeper(database, partitions, kept=KEPT, clock=self.clock, metrics=Metrics(), look_s=0.05)

    async def record(self, *samples: HostSlices | RouterReadings) -> None:
        for sample in samples:
            await self.recorder.take(sample)
        await self.recorder.write_all()

    async def keep(self, now: datetime) -> int:
        return await self.keeper.keep(self.connection, now)

    async def rows(self, table: str) -> list[dict[str, Any]]:
        return [dict(row) for row in await self.database.fetch(f"select * from {table} order by 1, 2")]  # noqa: S608


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Books]:
    async with Database.connect(url, schema="api", source="test") as database:
        await migrate(database, MIGRATIONS)
        async with database.own_connection() as connection:
            yield Books(database, connection)


@pytest.fixture
async def books(database_url: str) -> AsyncIterator[Books]:
    async with opened(database_url) as made:
        yield made


def slices(at: datetime, *rtts: float | None, host: str = "h1") -> HostSlices:
    """One host's row for each value, ten seconds apart from `at`; None: nothing came back."""
    (rtt,) = rtts
    answered = rtt is not None
    return HostSlices(
        instance="p",
        at=at,
        slice_s=10,
        hosts=(host,),
        sent=(10,),
        received=(10 if answered else 0,),
        rtt_min_ms=(rtt - 1 if answered else None,),
        rtt_avg_ms=(rtt,),
        rtt_max_ms=(rtt + 1 if answered else None,),
        jitter_ms=(0.5 if answered else None,),
    )


async def minute(books: Books, begins: datetime, *rtts: float | None, host: str = "h1") -> None:
    every = [slices(begins + timedelta(seconds=10 * n), rtt, host=host) for n, rtt in enumerate(rtts, start=1)]
    await books.record(*every)


async def test_what_was_said_is_written_as_it_was_said(books: Books) -> None:
    answering = HostSlices.example()
    reading = RouterReadings.example()
    await books.record(answering.model_copy(update={"at": NOW}), reading.model_copy(update={"at": NOW}))
    numbers = {row["host_id"]: row["number"] for row in await books.rows("host_numbers")}
    first, second = await books.rows("host_slices")
    assert (first["host"], first["at"], first["sent"], first["received"]) == (numbers["01h0st"], NOW, 10, 10)
    assert first["rtt_avg_ms"] == pytest.approx(1.8)
    assert first["jitter_ms"] == pytest.approx(0.4)
    assert (second["host"], second["received"], second["rtt_avg_ms"], second["jitter_ms"]) == (
        numbers["01gate"],
        0,
        None,
        None,
    )
    assert [row["value"] for row in await books.rows("readings")] == pytest.approx([12.0, 48_200_000.0])


async def test_one_answer_has_no_jitter(books: Books) -> None:
    await books.record(slices(NOW, 5).model_copy(update={"received": (1,), "jitter_ms": (None,)}))
    (row,) = await books.rows("host_slices")
    assert (row["rtt_avg_ms"], row["jitter_ms"], row["received"]) == (5.0, None, 1)


async def test_a_minute_is_rolled_up_when_it_is_over(books: Books) -> None:
    await minute(books, NOW, 10, 20, 30, 40, 50, None)
    assert await books.keep(NOW + timedelta(seconds=80)) == 0
    assert await books.keep(NOW + timedelta(seconds=90)) == 1
    (row,) = await books.rows("host_minutes")
    assert row["at"] == NOW
    assert (row["sent"], row["received"]) == (60, 50)
    assert (row["rtt_min_ms"], row["rtt_max_ms"]) == (9, 51)
    assert row["rtt_avg_ms"] == pytest.approx(30)
    assert row["rtt_p50_ms"] == pytest.approx(30)
    assert row["rtt_p95_ms"] == pytest.approx(48)
    assert row["rtt_p99_ms"] == pytest.approx(49.6)
    assert row["jitter_ms"] == pytest.approx(0.5)


async def test_averages_are_weighted_by_what_came_back(books: Books) -> None:
    few = slices(NOW + timedelta(seconds=10), 100).model_copy(update={"received": (1,)})
    await books.record(few, slices(NOW + timedelta(seconds=20), 10))
    await books.keep(NOW + timedelta(minutes=2))
    (row,) = await books.rows("host_minutes")
    assert row["rtt_avg_ms"] == pytest.approx((100 * 1 + 10 * 10) / 11)


async def test_all_levels_are_rolled_up_in_their_time(books: Books) -> None:
    for number in range(60):
        await minute(books, NOW + timedelta(minutes=number), 10, 20, 30)
    assert await books.keep(NOW + timedelta(minutes=61)) == 60 + 12 + 1
    (hour,) = await books.rows("host_hours")
    assert (hour["at"], hour["sent"]) == (NOW, 1800)
    assert hour["rtt_avg_ms"] == pytest.approx(20)
    assert [row["sent"] for row in await books.rows("host_fives")] == [150] * 12


async def test_a_late_sample_is_counted_in(books: Books) -> None:
    await minute(books, NOW, 10, 20)
    await books.keep(NOW + timedelta(hours=2))
    books.clock.advance(timedelta(hours=3).total_seconds())
    await books.record(slices(NOW + timedelta(seconds=30), 60))
    assert await books.keep(NOW + timedelta(hours=3)) == 3
    (row,) = await books.rows("host_minutes")
    (hour,) = await books.rows("host_hours")
    assert row["sent"] == hour["sent"] == 30
    assert hour["rtt_max_ms"] == 61
    marks = {mark["rollup"]: mark["done_until"] for mark in await books.rows("rollup_watermarks")}
    assert marks["host_minutes"] == NOW + timedelta(minutes=1)


async def test_counting_twice_changes_nothing(books: Books) -> None:
    await minute(books, NOW, 10, 20)
    await books.keep(NOW + timedelta(hours=2))
    before = await books.rows("host_minutes"), await books.rows("host_hours")
    await books.database.execute("insert into rollups_due values ('host_minutes', $1, 1), ('host_hours', $1, 1)", NOW)
    assert await books.keep(NOW + timedelta(hours=2)) == 2
    assert (await books.rows("host_minutes"), await books.rows("host_hours")) == before
    assert await books.keep(NOW + timedelta(hours=2)) == 0


class Interrupted:
    """A connection on which something else happens between looking at the list and counting."""

    def __init__(self, connection: asyncpg.Connection[Any], meanwhile: Callable[[], Awaitable[None]]) -> None:
        self._connection = connection
        self._meanwhile = meanwhile

    async def fetch(self, query: str, *args: Any) -> list[asyncpg.Record]:
        found = await self._connection.fetch(query, *args)
        if found:
            await self._meanwhile()
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


async def test_what_is_added_while_counting_is_counted_again(books: Books) -> None:
    added = False

    async def meanwhile() -> None:
        nonlocal added
        if not added:
            added = True
            await books.record(slices(NOW + timedelta(seconds=20), 20))

    await minute(books, NOW, 10)
    later = NOW + timedelta(minutes=2)
    connection: Any = Interrupted(books.connection, meanwhile)
    await roll_up(connection, MINUTES, later)
    assert [row["rollup"] for row in await books.rows("rollups_due")] == ["host_fives", "host_hours", "host_minutes"]
    assert await books.keep(later) == 1
    assert (await books.rows("host_minutes"))[0]["sent"] == 20


async def test_samples_of_another_day_find_their_partition(books: Books) -> None:
    await books.record(slices(NOW - timedelta(hours=23), 1), slices(NOW + timedelta(minutes=59), 2))
    books.clock.advance(timedelta(days=30).total_seconds())
    await books.record(slices(NOW + timedelta(days=30), 3))
    assert [row["rtt_avg_ms"] for row in await books.rows("host_slices")] == [1, 2, 3]


async def test_old_partitions_are_dropped_whole(books: Books) -> None:
    await minute(books, NOW, 10)
    await books.keep(NOW + timedelta(hours=2))
    await books.keep(NOW + timedelta(days=4))
    assert await books.rows("host_slices") == []
    assert len(await books.rows("host_minutes")) == 1
    await books.keep(NOW + timedelta(days=17))
    assert await books.rows("host_minutes") == []
    assert len(await books.rows("host_fives")) == 1
    await books.keep(NOW + timedelta(days=100))
    assert await books.rows("host_fives") == []
    assert len(await books.rows("host_hours")) == 1


async def test_history_is_trimmed_and_the_last_state_stays(books: Books) -> None:
    point = "insert into host_transitions values ('h1', $1, $2, $3, false)"
    for days, number, state in ((900, 1, "up"), (800, 2, "down"), (100, 3, "up")):
        await books.database.execute(point, NOW - timedelta(days=days), number, state)
    event = "insert into events (id, type, at, body) values ($1, 'host.up', $2, '{}')"
    await books.database.execute(event, "old", NOW - timedelta(days=366))
    await books.database.execute(event, "young", NOW - timedelta(days=364))
    await books.keep(NOW)
    assert [row["transition"] for row in await books.rows("host_transitions")] == [2, 3]
    assert [row["id"] for row in await books.rows("events")] == ["young"]


async def test_one_keeper_works_and_another_takes_over(books: Books, database_url: str) -> None:
    """Two processes of the api on one database: each bucket is counted by one of them, and a dead one is replaced."""

    async def counted(table: str) -> int:
        return int(await books.database.fetchval(f"select count(*) from {table}"))  # noqa: S608

    async with opened(database_url) as other:
        for keeper_of in (books, other):
            keeper_of.clock.advance(3 * 3600)
        first = asyncio.create_task(books.keeper.run())
        try:
            await minute(books, NOW + timedelta(hours=1), 10, 20)
            assert await until(lambda: counted("host_hours"))
            lead = "select pg_try_advisory_lock(hashtextextended('ronda keeper', 0))"
            assert not await other.connection.fetchval(lead)
            second = asyncio.create_task(other.keeper.run())
        finally:
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)
        try:
            await minute(other, NOW + timedelta(minutes=62), 10, 20)

            async def both_minutes() -> bool:
                return await counted("host_minutes") == 2 and not await counted("rollups_due")

            assert await until(both_minutes)
        finally:
            second.cancel()
            await asyncio.gather(second, return_exceptions=True)
