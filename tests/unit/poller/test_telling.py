"""Telling on the bus in memory: order, absence of the bus, other pollers, and what a crash leaves behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from services.poller.core.judge import State
from services.poller.core.reach import Reach, Reachability
from services.poller.core.records import HostRecord, RouterRecord, SessionRecord, host_key, router_key, session_key
from services.poller.core.router_records import LeasesRecord, seen_key
from services.poller.core.sessions import Session
from services.poller.core.wording import told_state
from services.poller.handlers.recall import Memory, recall, recall_seen
from services.poller.handlers.telling import Teller
from shared.bus.memory import MemoryBus
from shared.bus.ports import Bucket
from shared.clock import SystemClock
from shared.contracts.events import Event, HostDown, HostUp, RouterUnreachable, SessionClosed, SessionOpened
from shared.contracts.ids import HostId, RouterId
from shared.contracts.streams import EVENTS, STATE_BUCKET
from shared.contracts.vocabulary import HostState, Service
from tests.support.waiting import until

HOST = HostId("01h0st")
KEY = host_key(HOST)


def down(transition: int, host: str = HOST) -> HostDown:
    return HostDown.example().model_copy(update={"transition": transition, "host_id": host})


def up(transition: int, host: str = HOST) -> HostUp:
    return HostUp.example().model_copy(update={"transition": transition, "host_id": host})


def record(event: HostDown | HostUp) -> HostRecord:
    return HostRecord.of(event.host_id, told_state(event, State()))


@dataclass
class Post:
    """A teller at work, with what it heard of other pollers."""

    bus: MemoryBus
    memory: Bucket
    teller: Teller
    takeovers: list[tuple[str, bytes]] = field(default_factory=list)

    def tell(self, *events: HostDown | HostUp) -> None:
        for event in events:
            self.teller.tell(host_key(event.host_id), event, record(event))

    async def events(self) -> list[Event]:
        found = self.bus.read(EVENTS, after_sequence=0, follow=False)
        return [received.message async for received in found if received is not None]

    async def remembered(self, key: str = KEY) -> HostRecord | None:
        entry = await self.memory.get(key)
        return HostRecord.model_validate_json(entry.value) if entry else None


@asynccontextmanager
async def post(bus: MemoryBus | None = None, **settings: object) -> AsyncIterator[Post]:
    bus = bus or MemoryBus(source="poller", clock=SystemClock())
    takeovers: list[tuple[str, bytes]] = []
    memory = await bus.bucket(STATE_BUCKET)
    teller = Teller(bus, memory, on_takeover=lambda key, value: takeovers.append((key, value)), **settings)
    telling = asyncio.create_task(teller.run())
    yield Post(bus, memory, teller, takeovers)
    telling.cancel()
    await asyncio.gather(telling, return_exceptions=True)


async def test_fact_is_told_and_then_remembered():
    async with post() as here:
        here.tell(down(3))
        await until(lambda: here.teller.waiting == 0)
        assert [event.transition for event in await here.events()] == [3]
        assert (await here.remembered()).order == 3


async def test_facts_wait_for_the_bus_in_order():
    async with post() as here:
        here.bus.server.away = True
        here.tell(down(3), down(1, "other"), up(4), down(5))
        await asyncio.sleep(0)
        assert here.teller.waiting == 4
        here.bus.server.away = False
        await until(lambda: here.teller.waiting == 0)
        told = await here.events()
        assert [event.transition for event in told if event.host_id == HOST] == [3, 4, 5]
        assert len(told) == 4
        assert (await here.remembered()).state is HostState.DOWN


async def test_waiting_facts_are_bounded_and_the_first_and_last_survive():
    async with post(most_waiting=8) as here:
        here.bus.server.away = True
        for transition in range(1, 42, 2):
            here.tell(down(transition), up(transition + 1))
        assert here.teller.waiting <= 8
        here.bus.server.away = False
        await until(lambda: here.teller.waiting == 0)
        transitions = [event.transition for event in await here.events()]
        assert (transitions[0], transitions[-1]) == (1, 42)
        assert transitions == sorted(transitions)
        assert len(transitions) + here.teller.left_out_total == 42


async def test_every_change_of_a_long_absence_survives():
    async with post() as here:
        here.bus.server.away = True
        for transition in range(1, 1001, 2):
            here.tell(down(transition), up(transition + 1))
        here.bus.server.away = False
        await until(lambda: here.teller.waiting == 0)
        assert [event.transition for event in await here.events()] == list(range(1, 1001))


async def test_repeat_after_a_crash_is_dropped_by_the_stream():
    async with post() as here:
        here.tell(down(3))
        await until(lambda: here.teller.waiting == 0)
        again = Teller(here.bus, here.memory, on_takeover=lambda *_: None)
        telling = asyncio.create_task(again.run())
        again.tell(KEY, down(3), record(down(3)))
        await until(lambda: again.waiting == 0)
        telling.cancel()
        assert len(await here.events()) == 1
        assert (await here.remembered()).order == 3


async def test_newer_record_of_another_poller_is_taken_over():
    async with post() as here:
        newer = record(up(8))
        await here.memory.put(KEY, newer.encoded())
        here.tell(down(3))
        await until(lambda: here.teller.waiting == 0)
        assert here.takeovers == [(KEY, newer.encoded())]
        assert (await here.remembered()).order == 8


async def test_older_record_of_another_poller_is_replaced():
    async with post() as here:
        await here.memory.put(KEY, record(down(2)).encoded())
        here.tell(up(3))
        await until(lambda: here.teller.waiting == 0)
        assert here.takeovers == []
        assert (await here.remembered()).order == 3


async def remember(bus: MemoryBus) -> Memory:
    memory = await bus.bucket(STATE_BUCKET)
    return await recall(bus, memory, Teller(bus, memory, on_takeover=lambda *_: None))


class TestRecall:
    async def test_what_was_saved_comes_back(self):
        async with post() as here:
            session = Session("D3", 12, "budi", down(1).at, "10.0.0.2")
            reach = Reach(Reachability.REACHABLE, 4, down(1).at)
            key = session_key(RouterId("r"), Service.HOTSPOT, "D3")
            here.tell(down(3))
            here.teller.tell(router_key(RouterId("r")), None, RouterRecord.of(RouterId("r"), reach))
            here.teller.tell(key, None, SessionRecord.of(RouterId("r"), Service.HOTSPOT, session))
            await until(lambda: here.teller.waiting == 0)
            memory = await remember(here.bus)
        assert memory.hosts[HOST] == told_state(down(3), State())
        assert memory.routers == {"r": reach}
        assert memory.sessions == {("r", Service.HOTSPOT): {"D3": session}}

    async def test_told_but_not_saved_is_believed(self):
        async with post() as here:
            here.tell(up(2))
            await until(lambda: here.teller.waiting == 0)
            await here.bus.publish(down(3))
            await here.bus.publish(RouterUnreachable.example())
            await here.bus.publish(SessionOpened.example())
            memory = await remember(here.bus)
        assert memory.hosts[HOST].hard is HostState.DOWN
        assert memory.hosts[HOST].transition == 3
        assert memory.routers[RouterId("01r0ut")].hard is Reachability.UNREACHABLE
        [session] = memory.sessions[RouterId("01r0ut"), Service.HOTSPOT].values()
        assert (session.slot, session.number, session.account) == ("D3080A0A", 12, "budi@paket10")

    async def test_session_that_was_told_closed_stays_closed(self):
        async with post() as here:
            await here.bus.publish(SessionOpened.example())
            await here.bus.publish(SessionClosed.example())
            memory = await remember(here.bus)
        assert memory.sessions == {}

    async def test_memory_that_cannot_be_read_counts_as_absent(self):
        async with post() as here:
            await here.memory.put(KEY, b"{}")
            here.tell(down(1))
            await until(lambda: here.teller.waiting == 0)
            assert (await here.remembered()).order == 1


async def test_what_was_seen_on_routers_is_recalled_and_can_be_read_anew_for_one():
    async with post() as at:
        here, there = RouterId("01r0ut"), RouterId("01r0ut2")
        first, other = (seen_key(router, "interface", "ether1") for router in (here, there))
        for key, order in ((first, 4), (other, 7)):
            at.teller.tell(key, None, LeasesRecord(order=order))
        await until(lambda: at.teller.waiting == 0)
        memory = await remember(at.bus)
        assert memory.seen_on(here) == {first: LeasesRecord(order=4).encoded()}

        # Somebody else watched the router meanwhile; whoever takes it over goes on where that one stopped.
        later = seen_key(here, "lease", "10.5.0.17")
        await at.memory.put(first, LeasesRecord(order=5).encoded())
        await at.memory.put(later, LeasesRecord(order=1).encoded())
        await recall_seen(at.memory, at.teller, memory, here)
        assert memory.seen_on(here) == {
            first: LeasesRecord(order=5).encoded(),
            later: LeasesRecord(order=1).encoded(),
        }
        assert memory.seen_on(there) == {other: LeasesRecord(order=7).encoded()}
        at.teller.tell(first, None, LeasesRecord(order=6))
        await until(lambda: at.teller.waiting == 0)
        assert at.takeovers == []
