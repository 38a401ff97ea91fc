"""Who gets a turn: many routers, one of them slow, away or failing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from services.provisioner.faults import RouterAway
from services.provisioner.handlers import HANDLERS
from services.provisioner.loop import RouterDesks, mind_returns
from shared.bus.context import current_envelope, handling
from shared.contracts.desired import DesiredAccount
from shared.contracts.envelope import Envelope
from shared.contracts.ids import AccountId, RouterId
from shared.errors import DeadlineExceeded, Refused
from tests.fakes.clock import FakeClock
from tests.fakes.provisioning import desired
from tests.support.waiting import until

PLACES = 12


def wish(router: str, account: str, generation: int = 1) -> DesiredAccount:
    return desired(generation, router_id=RouterId(router), account_id=AccountId(account), sealed_password="x")


def envelope_of(message: DesiredAccount) -> Envelope:
    return Envelope.around(message, source="test", now=FakeClock().now())


@dataclass
class Work:
    """Stands where accounts are carried out: what it does is said per router, what it did is kept."""

    done: list[DesiredAccount] = field(default_factory=list)
    causes: list[Envelope | None] = field(default_factory=list)
    under_way: dict[str, int] = field(default_factory=dict)
    most: int = 0
    manners: dict[str, Callable[[DesiredAccount], Awaitable[None]]] = field(default_factory=dict)

    async def __call__(self, message: DesiredAccount) -> None:
        router = message.router_id
        self.under_way[router] = self.under_way.get(router, 0) + 1
        self.most = max(self.most, self.under_way[router])
        try:
            await asyncio.sleep(0)
            if router in self.manners:
                await self.manners[router](message)
            self.causes.append(current_envelope())
            self.done.append(message)
        finally:
            self.under_way[router] -= 1

    def of(self, router: str) -> list[tuple[str, int]]:
        return [(each.account_id, each.generation) for each in self.done if each.router_id == router]


@dataclass
class Pauses:
    """Pauses that last until the test lets them end."""

    asked: list[float] = field(default_factory=list)
    end: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        await self.end.wait()


@asynccontextmanager
async def working(desks: RouterDesks) -> AsyncIterator[None]:
    task = asyncio.create_task(desks.work())
    try:
        yield
        assert not task.done(), "the desks must outlive every failure"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def hangs(_: DesiredAccount) -> None:
    await asyncio.Event().wait()


async def test_a_router_that_hangs_takes_nobodys_turn():
    work = Work(manners={"hanging": hangs})
    desks = RouterDesks(work, places=PLACES)
    async with working(desks):
        for number in range(2000):
            desks.hand_over(wish("hanging", f"a{number}"), None)
        desks.hand_over(wish("other", "b"), None)
        await until(lambda: work.of("other"))
        assert work.under_way["hanging"] == PLACES


async def test_a_large_backlog_is_worked_on_by_several_at_once_and_one_per_account():
    work = Work()
    desks = RouterDesks(work, places=PLACES)
    async with working(desks):
        for number in range(2000):
            desks.hand_over(wish("r", f"a{number}"), None, backlog=True)
        await until(lambda: len(work.done) == 2000)
    assert work.most == PLACES
    assert len(set(work.of("r"))) == 2000


async def test_what_was_handed_over_before_the_work_began_is_done():
    work = Work()
    desks = RouterDesks(work, places=1)
    desks.hand_over(wish("r", "a"), None)
    async with working(desks):
        await until(lambda: work.of("r") == [("a", 1)])


async def test_only_the_newest_of_many_edits_is_carried_out():
    work, gate = Work(), asyncio.Event()

    async def waits(_: DesiredAccount) -> None:
        await gate.wait()

    work.manners["r"] = waits
    desks = RouterDesks(work, places=PLACES)
    async with working(desks):
        desks.hand_over(wish("r", "a", 1), None)
        await until(lambda: work.under_way.get("r"))
        for generation in range(2, 51):
            desks.hand_over(wish("r", "a", generation), None)
        gate.set()
        await until(lambda: ("a", 50) in work.of("r"))
    assert work.of("r") == [("a", 1), ("a", 50)]
    assert work.most == 1


@pytest.mark.parametrize("error", [DeadlineExceeded("late"), Refused("the bus forbids"), RuntimeError("a bug")])
async def test_whatever_fails_is_tried_again_with_growing_pauses_and_stops_nobody(error: Exception):
    work, pauses = Work(), Pauses()
    left = 6

    async def fails(_: DesiredAccount) -> None:
        nonlocal left
        left -= 1
        if left >= 0:
            raise error

    work.manners["bad"] = fails
    pauses.end.set()
    desks = RouterDesks(work, places=1, pause=pauses)
    async with working(desks):
        desks.hand_over(wish("bad", "a"), None)
        desks.hand_over(wish("good", "b"), None)
        await until(lambda: work.of("bad") == [("a", 1)])
    assert work.of("good") == [("b", 1)]
    assert len(pauses.asked) == 6
    assert pauses.asked[0] < 1 < pauses.asked[-1] <= 60


async def test_a_failed_account_leaves_its_place_while_it_waits():
    work, pauses = Work(), Pauses()

    async def fails_for_a(message: DesiredAccount) -> None:
        if message.account_id == "a":
            raise DeadlineExceeded("late")

    work.manners["r"] = fails_for_a
    desks = RouterDesks(work, places=1, pause=pauses)
    async with working(desks):
        desks.hand_over(wish("r", "a"), None)
        desks.hand_over(wish("r", "b"), None)
        await until(lambda: work.of("r") == [("b", 1)])


async def test_later_failures_of_an_account_leave_one_next_try():
    work, pauses = Work(), Pauses()
    tries = 0

    async def fails(_: DesiredAccount) -> None:
        nonlocal tries
        tries += 1
        raise DeadlineExceeded("late")

    work.manners["r"] = fails
    desks = RouterDesks(work, places=1, pause=pauses)
    async with working(desks):
        for generation in range(1, 6):
            desks.hand_over(wish("r", "a", generation), None)
            await until(lambda generation=generation: tries == generation and len(pauses.asked) == generation)
        del work.manners["r"]
        pauses.end.set()
        await until(lambda: work.of("r"))
    assert work.of("r") == [("a", 5)]


async def test_an_absent_router_is_not_tried_again_until_it_returns():
    work, pauses = Work(), Pauses()

    async def away(message: DesiredAccount) -> None:
        raise RouterAway(f"no session to {message.router_id}")

    work.manners["r"] = away
    states = {"r": [wish("r", f"a{number}", 3) for number in range(30)]}
    returns: asyncio.Queue[RouterId] = asyncio.Queue()

    class Routers:
        async def returned(self) -> AsyncIterator[RouterId]:
            while True:
                yield await returns.get()

    class Streamed:
        async def of_router(self, router_id: RouterId) -> AsyncIterator[tuple[DesiredAccount, Envelope]]:
            for message in states[router_id]:
                yield message, envelope_of(message)

    desks = RouterDesks(work, places=PLACES, pause=pauses)
    async with working(desks):
        minding = asyncio.create_task(mind_returns(Routers(), Streamed(), desks))  # type: ignore[arg-type]
        desks.hand_over(wish("r", "a0"), None)
        await until(lambda: work.under_way.get("r") == 0)
        assert pauses.asked == []
        del work.manners["r"]
        for _ in range(2):  # two returns in a row
            returns.put_nowait(RouterId("r"))
        await until(lambda: set(work.of("r")) == {(f"a{number}", 3) for number in range(30)})
        assert not minding.done()
        minding.cancel()
        await asyncio.gather(minding, return_exceptions=True)
    assert {cause.id for cause in work.causes if cause} == {f"desired:a{number}:3" for number in range(30)}


async def test_each_account_follows_from_its_own_message():
    """The one that frees a place starts the next: that one's story is its own."""
    work = Work()
    desks = RouterDesks(work, places=1)
    [handler] = HANDLERS[DesiredAccount]
    async with working(desks):
        for account in ("a", "b"):
            message = wish("r", account)
            with handling(envelope_of(message)):
                await handler(message, desks=desks)
        desks.hand_over(wish("r", "c"), None)
        await until(lambda: len(work.done) == 3)
    assert [cause.id if cause else None for cause in work.causes] == ["desired:a:1", "desired:b:1", None]
