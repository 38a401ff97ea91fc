"""The link: pauses that grow, states that are told, and "could not ask" as an error."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from shared.errors import NotAllowed, RondaError, Unreachable
from shared.routeros import Backoff, LinkDown, LinkUp, RouterAddress, RouterLink, Session
from tests.fakes.router_session import FakeRouter

# Examples may take long on a busy machine; that says nothing about the code.
untimed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

ADDRESS = RouterAddress("192.0.2.1", "ronda", SecretStr("rahasia"))


class World:
    """A router that can be reached or not, and time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.router = FakeRouter()
        self.time = 0.0
        self.pauses: list[float] = []
        self.outcomes: list[RondaError | None] = []
        """What the next connects meet; None is success. When it is empty, connecting hangs."""
        self.lives: list[float] = []
        """How long the sessions of the successes last; without an entry, until `router.vanish()`."""
        self.idle = asyncio.Event()

    def now(self) -> datetime:
        return datetime(2026, 11, 20, tzinfo=UTC) + timedelta(seconds=self.time)

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.time += seconds
        await asyncio.sleep(0)

    async def connect(self, address: RouterAddress) -> Session:
        assert address is ADDRESS
        if not self.outcomes:
            self.idle.set()
            await asyncio.Event().wait()
        error = self.outcomes.pop(0)
        if error is not None:
            raise error
        self.router.come_back()
        session = self.router.session()
        if self.lives:
            asyncio.get_running_loop().call_soon(self._end, self.lives.pop(0))
        return session

    def _end(self, lived: float) -> None:
        self.time += lived
        self.router.vanish("it rebooted")

    def link(self, chance: float = 0.5) -> RouterLink:
        return RouterLink(ADDRESS, clock=self, connect=self.connect, sleep=self.sleep, chance=lambda: chance)


def dead() -> Unreachable:
    return Unreachable("no route")


async def test_pauses_grow_to_a_minute():
    world = World()
    world.outcomes = [dead() for _ in range(9)]
    async with world.link():
        await asyncio.wait_for(world.idle.wait(), 5)
    assert world.pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


@pytest.mark.parametrize(("chance", "pauses"), [(0.0, [0.8, 1.6]), (0.999999, [1.2, 2.4])])
async def test_pauses_differ_by_a_fifth(chance: float, pauses: list[float]):
    world = World()
    world.outcomes = [dead(), dead()]
    async with world.link(chance):
        await asyncio.wait_for(world.idle.wait(), 5)
    assert world.pauses == pytest.approx(pauses, rel=1e-4)


async def test_a_refused_login_is_not_repeated_at_once():
    world = World()
    world.outcomes = [NotAllowed("invalid user name or password (6)")] * 2
    async with world.link():
        await asyncio.wait_for(world.idle.wait(), 5)
    assert world.pauses == [60, 60]


async def test_sessions_that_end_at_once_do_not_reset_the_pause():
    world = World()
    world.outcomes, world.lives = [None] * 4, [5.0] * 4
    async with world.link():
        await asyncio.wait_for(world.idle.wait(), 5)
    assert world.pauses == [1, 2, 4, 8]


async def test_a_good_session_makes_the_next_failure_the_first():
    world = World()
    world.outcomes, world.lives = [dead(), dead(), dead(), None, dead()], [600.0]
    async with world.link():
        await asyncio.wait_for(world.idle.wait(), 5)
    assert world.pauses == [1, 2, 4, 1, 2]


async def test_states_are_told_in_order():
    world = World()
    world.outcomes, world.lives = [dead(), None], [600.0]
    link = world.link()
    states = link.states()
    assert isinstance(await anext(states), LinkDown)
    async with link:
        await asyncio.wait_for(world.idle.wait(), 5)
    down, up, lost = [state async for state in states]
    assert isinstance(down, LinkDown)
    assert (str(down.error), down.retry_in) == ("no route", 1)
    assert isinstance(up, LinkUp)
    assert up.session.facts.identity == "Menara-1"
    assert isinstance(lost, LinkDown)
    assert str(lost.error) == "it rebooted"


async def test_the_session_serves_and_a_dead_router_is_an_error():
    world = World()
    world.outcomes = [None]
    async with world.link() as link:
        async with link.session(deadline=5) as session:
            assert await session.print_rows("/ppp/active") == []
        world.router.vanish()
        await asyncio.wait_for(world.idle.wait(), 5)
        with pytest.raises(Unreachable, match="closed the connection"):
            async with link.session(deadline=0.01):
                pytest.fail("there is no session")


async def test_waiting_for_a_session_ends_when_it_comes():
    world = World()
    world.outcomes = [dead(), dead(), None]
    async with world.link() as link, link.session(deadline=5) as session:
        assert session.is_open
        assert world.pauses == [1, 2]


async def test_a_refused_login_is_told_at_once():
    world = World()
    world.outcomes = [NotAllowed("invalid user name or password (6)")]
    async with world.link() as link:
        await asyncio.wait_for(world.idle.wait(), 5)
        with pytest.raises(NotAllowed, match="invalid user name"):
            async with link.session(deadline=600):
                pytest.fail("there is no session")


async def test_leaving_closes_the_session():
    world = World()
    world.outcomes = [None]
    async with world.link() as link, link.session() as session:
        pass
    assert not session.is_open


@untimed
@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True), st.booleans())
def test_pauses_stay_within_bounds(failures: int, chance: float, refused: bool):
    pause = Backoff().pause(failures, chance, refused=refused)
    assert 0.8 <= pause <= 72
    assert not refused or pause >= 48
