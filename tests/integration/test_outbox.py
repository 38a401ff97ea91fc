"""A change and its message are one; the relay publishes what is committed, in order, once per id, and at once."""

import asyncio
import json
import statistics
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import pytest

from shared.bus.context import handling
from shared.contracts.envelope import Envelope
from shared.contracts.message import Message
from shared.contracts.subjects import Kind
from shared.db import Database, OutboxRelay, migrate
from shared.db.identifiers import outbox_channel
from shared.db.outbox import Backlog
from shared.errors import Invalid, Unreachable
from tests.fakes.stored_publisher import StoredPublisherFake


class Step(Message):
    KIND: ClassVar = Kind.EVENT
    NAME: ClassVar = "test.step"
    SCOPE: ClassVar = ("host",)
    EXAMPLE: ClassVar = {"host": "h", "number": 1}

    host: str
    number: int


class Other(Step):
    NAME: ClassVar = "test.other"


@asynccontextmanager
async def connected(url: str, **more):
    async with Database.connect(url, schema="api", source="/ronda/api", **more) as database:
        yield database


@pytest.fixture
async def database(database_url: str, tmp_path: Path):
    async with connected(database_url) as opened:
        await migrate(opened, tmp_path)
        await opened.execute("create table thing (id text primary key)")
        yield opened


@pytest.fixture
def bus() -> StoredPublisherFake:
    return StoredPublisherFake()


@asynccontextmanager
async def relaying(database: Database, bus: StoredPublisherFake):
    relay = OutboxRelay(database, bus)
    task = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition, within_s: float = 10.0) -> None:
    async with asyncio.timeout(within_s):
        while not await condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def empty(database: Database) -> bool:
    return await database.fetchval("select count(*) from outbox") == 0


def numbers(bus: StoredPublisherFake, host: str = "h") -> list[int]:
    return [body["number"] for body in (json.loads(raw) for _, _, raw in bus.published) if body["host"] == host]


async def test_message_carries_what_was_true_at_the_change(database: Database, bus: StoredPublisherFake):
    cause = Envelope.around(Step(host="c", number=0), source="/ronda/poller", now=datetime(2026, 1, 2, tzinfo=UTC))
    with handling(cause):
        async with database.transaction() as tx:
            envelope = await tx.publish(Step(host="h", number=1), headers={"Nats-TTL": "60"})
    async with relaying(database, bus):
        await bus.wait_for(1)
    subject, headers, body = bus.published[0]
    assert subject == "ronda.v1.evt.test.step.h"
    assert json.loads(body) == {"host": "h", "number": 1}
    assert Envelope.from_headers(headers) == envelope
    assert headers["Nats-TTL"] == "60"
    assert (envelope.causation_id, envelope.correlation_id) == (cause.id, cause.id)
    assert envelope.source == "/ronda/api"


async def test_rolled_back_says_nothing(database: Database, bus: StoredPublisherFake):
    async with relaying(database, bus):
        with pytest.raises(RuntimeError):  # noqa: PT012
            async with database.transaction() as tx:
                await tx.publish(Step(host="h", number=1))
                raise RuntimeError
        async with database.transaction() as tx:
            with pytest.raises(RuntimeError):  # noqa: PT012
                async with tx.savepoint():
                    await tx.publish(Step(host="h", number=2))
                    raise RuntimeError
            await tx.publish(Step(host="h", number=3))
        await bus.wait_for(1)
        await until(lambda: empty(database))
    assert numbers(bus) == [3]


async def test_order_of_commits_is_kept_not_of_calls(database: Database, bus: StoredPublisherFake):
    published, committed = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with database.transaction() as tx:
            await tx.publish(Step(host="h", number=2))
            published.set()
            await committed.wait()

    task = asyncio.create_task(slow())
    await published.wait()
    async with database.transaction() as tx:
        await tx.publish(Step(host="h", number=1))
    committed.set()
    await task
    async with relaying(database, bus):
        await bus.wait_for(2)
    assert numbers(bus) == [1, 2]


async def test_a_commit_waits_for_the_one_that_numbered_its_rows_before(database: Database, bus: StoredPublisherFake):
    """Otherwise the later number could be seen, and published, before the earlier one."""
    channel = outbox_channel("api")
    async with database.own_connection() as earlier:
        unit = earlier.transaction()
        await unit.start()
        await earlier.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", channel)

        async def publish() -> None:
            async with database.transaction() as tx:
                await tx.publish(Step(host="h", number=2))

        later = asyncio.create_task(publish())

        async def waits() -> bool:
            return await database.fetchval("select exists (select from pg_locks where not granted)")

        await until(waits)
        assert await empty(database)
        await unit.commit()
        await later
    assert not await empty(database)


async def test_many_writers_keep_the_order_per_id(database: Database, bus: StoredPublisherFake):
    await database.execute("create table counter (host text primary key, number int not null)")
    await database.execute("insert into counter values ('a', 0), ('b', 0)")

    async def write(host: str) -> None:
        for _ in range(20):
            async with database.transaction() as tx:
                number = await tx.fetchval(
                    "update counter set number = number + 1 where host = $1 returning number", host
                )
                await tx.publish((Step if number % 2 else Other)(host=host, number=number))

    async with relaying(database, bus):
        await asyncio.gather(*(write(host) for host in ("a", "b") for _ in range(3)))
        await bus.wait_for(120)
    assert numbers(bus, "a") == numbers(bus, "b") == list(range(1, 61))


async def test_large_transaction_is_relayed_whole_and_in_order(database: Database, bus: StoredPublisherFake):
    async with relaying(database, bus):
        async with database.transaction() as tx:
            for number in range(1200):
                await tx.publish(Step(host="h", number=number))
        await bus.wait_for(1200, within_s=20)
    assert numbers(bus) == list(range(1200))


async def test_bus_away_holds_the_order_and_recovers(database: Database, bus: StoredPublisherFake):
    bus.failures = [Unreachable("away"), Unreachable("away")]
    async with database.transaction() as tx:
        for number in range(5):
            await tx.publish(Step(host="h", number=number))
    async with relaying(database, bus) as relay:
        await bus.wait_for(5)
        await until(lambda: empty(database))
        assert (await relay.backlog()).waiting == 0
    assert numbers(bus) == list(range(5))


async def test_one_blocked_id_does_not_hold_others_back(database: Database, bus: StoredPublisherFake):
    bus.refusing[Step(host="stuck", number=1).subject] = Unreachable("away")
    async with database.transaction() as tx:
        await tx.publish(Step(host="stuck", number=1))
        await tx.publish(Step(host="free", number=1))
    async with relaying(database, bus) as relay:
        await bus.wait_for(1)
        assert numbers(bus, "free") == [1]
        bus.refusing.clear()
        await bus.wait_for(2)
        await until(lambda: empty(database))
        assert (await relay.backlog()).oldest_s == 0


async def test_refused_for_good_is_set_aside_with_the_reason(database: Database, bus: StoredPublisherFake):
    bus.refusing[Step(host="bad", number=1).subject] = Invalid("no stream takes this")
    async with database.transaction() as tx:
        await tx.publish(Step(host="bad", number=1))
        await tx.publish(Step(host="h", number=2))
    async with relaying(database, bus) as relay:
        await bus.wait_for(1)

        async def aside() -> bool:
            return await relay.backlog() == Backlog(waiting=0, oldest_s=0.0, refused=1)

        await until(aside)
    assert await database.fetchval("select refused from outbox") == "invalid: no stream takes this"


async def test_crash_between_publishing_and_deleting_repeats_with_the_same_id(
    database: Database, bus: StoredPublisherFake
):
    """The delete is made to fail once by a trigger, as if the process had ended there."""
    await database.execute(
        """
        create table fuse (blown bool);
        create function once() returns trigger language plpgsql as $$ begin
            perform pg_terminate_backend(pg_backend_pid()); return null; end $$;
        create trigger once before delete on outbox for each statement execute function once()
        """
    )
    async with relaying(database, bus):
        async with database.transaction() as tx:
            await tx.publish(Step(host="h", number=1))

        async def repeated() -> bool:
            return bus.attempts >= 2

        await until(repeated)
        await database.execute("drop trigger once on outbox")
        await until(lambda: empty(database))
    assert bus.attempts >= 2
    assert numbers(bus) == [1], "the second time had the id of the first"


async def test_commit_of_another_process_wakes_the_relay(
    database: Database, database_url: str, bus: StoredPublisherFake
):
    async with relaying(database, bus) as relay, connected(database_url) as elsewhere:

        async def publishing() -> bool:
            return relay.publishing

        await until(publishing)
        delays = [await delay_of_one(elsewhere, bus, number) for number in range(1, 20)]
    assert statistics.median(delays) < 0.5, "woken, not found by the look that comes once a second"


async def delay_of_one(database: Database, bus: StoredPublisherFake, number: int) -> float:
    async with database.transaction() as tx:
        await tx.publish(Step(host="h", number=number))
    committed = time.perf_counter()
    await bus.wait_for(number)
    return time.perf_counter() - committed


async def test_one_relay_works_and_the_next_takes_over(database: Database, database_url: str):
    first_bus, second_bus = StoredPublisherFake(), StoredPublisherFake()
    async with connected(database_url) as other_database, relaying(other_database, second_bus) as second:

        async def second_publishes() -> bool:
            return second.publishing

        await until(second_publishes)
        async with relaying(database, first_bus) as first:
            async with database.transaction() as tx:
                await tx.publish(Step(host="h", number=1))
            await second_bus.wait_for(1)
            await until(lambda: empty(database))
            assert not first.publishing
    async with relaying(database, first_bus):
        async with database.transaction() as tx:
            await tx.publish(Step(host="h", number=2))
        await first_bus.wait_for(1)
    assert (numbers(first_bus), numbers(second_bus)) == ([2], [1])


async def test_inbox_makes_at_least_once_once(database: Database):
    async def handle(identity: str) -> bool:
        async with database.transaction() as tx:
            if not await tx.first_time("projector", identity):
                return False
            await tx.execute("insert into thing values ($1)", identity)
            return True

    assert sorted(await asyncio.gather(handle("m1"), handle("m1"), handle("m1"))) == [False, False, True]
    assert await handle("m2")
    async with database.transaction() as tx:
        assert await tx.first_time("another consumer", "m1")


async def test_inbox_forgets_with_the_transaction(database: Database):
    with pytest.raises(RuntimeError):  # noqa: PT012
        async with database.transaction() as tx:
            await tx.first_time("projector", "m1")
            raise RuntimeError
    async with database.transaction() as tx:
        assert await tx.first_time("projector", "m1")


async def test_old_inbox_rows_are_forgotten(database: Database, bus: StoredPublisherFake):
    async with database.transaction() as tx:
        await tx.first_time("projector", "old")
        await tx.first_time("projector", "young")
        await tx.execute("update inbox set seen_at = now() - interval '31 days' where message_id = 'old'")

    async def forgotten() -> bool:
        return await database.fetchval("select array_agg(message_id) from inbox") == ["young"]

    async with relaying(database, bus):
        await until(forgotten)
