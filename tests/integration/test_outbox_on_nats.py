"""The whole way: a row and its message in one transaction, and the stream of a real NATS server."""

import asyncio
import statistics
import time
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from shared.bus.nats import NatsBus
from shared.contracts.events import HostDown
from shared.contracts.streams import EVENTS
from shared.db import Database, OutboxRelay, migrate
from shared.errors import Unreachable


@asynccontextmanager
async def relaying(database: Database, bus: NatsBus):
    task = asyncio.create_task(OutboxRelay(database, bus).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def database(database_url: str, tmp_path: Path):
    async with Database.connect(database_url, schema="api", source="/ronda/api") as opened:
        await migrate(opened, tmp_path)
        yield opened


def down(number: int) -> HostDown:
    """Each with a transition of its own, which is what its message id is made of."""
    return HostDown.model_validate({**HostDown.EXAMPLE, "transition": number})


async def stored(bus: NatsBus, count: int) -> list:
    async with asyncio.timeout(20):
        while True:
            with suppress(Unreachable):
                found = [each async for each in bus.read(EVENTS, after_sequence=0, follow=False) if each is not None]
                if len(found) >= count:
                    return found
            await asyncio.sleep(0.02)


async def test_what_is_committed_is_in_the_stream_in_order(database: Database, nats_url: str):
    async with NatsBus.connect(nats_url, name="api", source="/ronda/api") as bus, relaying(database, bus):
        envelopes = []
        for number in range(1, 41):
            async with database.transaction() as tx:
                envelopes.append(await tx.publish(down(number)))
        found = await stored(bus, 40)
    assert [each.envelope for each in found] == envelopes
    assert [each.message for each in found] == [down(number) for number in range(1, 41)]


async def test_nothing_is_lost_while_the_bus_is_killed_and_started_again(database: Database, nats_server):
    async with (
        NatsBus.connect(nats_server.url(), name="api", source="/ronda/api", wait_s=1) as bus,
        relaying(database, bus),
    ):
        async with database.transaction() as tx:
            await tx.publish(down(1))
        await stored(bus, 1)
        nats_server.kill()
        for number in (2, 3):
            async with database.transaction() as tx:
                await tx.publish(down(number))
        nats_server.start()
        found = await stored(bus, 3)
    assert [each.message.transition for each in found] == [1, 2, 3]


async def test_commit_to_stream_takes_milliseconds(database: Database, nats_url: str):
    """No bound is asserted but one that a poll once a second could not keep; `-s` shows the figure."""
    async with NatsBus.connect(nats_url, name="api", source="/ronda/api") as bus, relaying(database, bus):
        arrivals = bus.read(EVENTS, after_sequence=0)
        assert await anext(arrivals) is None
        delays = []
        for number in range(1, 31):
            async with database.transaction() as tx:
                await tx.publish(down(number))
            committed = time.perf_counter()
            async with asyncio.timeout(10):
                await anext(arrivals)
            delays.append((time.perf_counter() - committed) * 1000)
        await arrivals.aclose()
    print(f"commit to subscriber: median {statistics.median(delays):.1f} ms, worst {max(delays):.1f} ms")  # noqa: T201
    assert statistics.median(delays) < 500
