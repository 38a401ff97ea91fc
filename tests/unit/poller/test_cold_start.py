"""What a poller tells when it begins: differences only, with the time in which they may have happened."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from services.poller.core.judge import State
from shared.contracts.events import HostDown, HostTransition, HostUnreachable, HostUp
from shared.contracts.vocabulary import HostState
from tests.fakes.virtual_time import EPOCH
from tests.fakes.watchtower import Watchtower, host, watch_over

LAST_SEEN = EPOCH - timedelta(minutes=7)
KNOWN = {
    "up": State(HostState.UP, 11, EPOCH - timedelta(hours=2)),
    "down": State(HostState.DOWN, 12, EPOCH - timedelta(hours=1), EPOCH - timedelta(hours=1)),
    "behind": State(HostState.UNREACHABLE, 13, EPOCH - timedelta(hours=1), EPOCH - timedelta(hours=1), ("down",)),
}


def begin(tower: Watchtower) -> None:
    for name, state in KNOWN.items():
        parents = ("down",) if name == "behind" else ()
        tower.watch(host(name, *parents), state=state, seen_at=LAST_SEEN)


def test_nothing_is_told_where_everything_is_as_it_was():
    async def plot(tower: Watchtower) -> None:
        tower.cut("down", "behind")
        begin(tower)
        await asyncio.sleep(120)

    assert watch_over(plot).teller.told == []


def test_differences_carry_the_time_in_which_they_may_have_happened():
    async def plot(tower: Watchtower) -> None:
        tower.cut("up")
        begin(tower)
        await asyncio.sleep(20)

    told = {event.host_id: event for event in watch_over(plot).events(HostTransition)}
    assert isinstance(told["up"], HostDown)
    assert isinstance(told["down"], HostUp)
    assert isinstance(told["behind"], HostUp)
    assert {event.not_before for event in told.values()} == {LAST_SEEN}
    assert told["down"].down_since == KNOWN["down"].down_since
    assert {name: event.transition for name, event in told.items()} == {"up": 12, "down": 13, "behind": 14}


def test_later_changes_carry_no_range():
    async def plot(tower: Watchtower) -> None:
        begin(tower)
        await asyncio.sleep(30)
        tower.cut("up")
        await asyncio.sleep(10)

    [down] = watch_over(plot).events(HostDown)
    assert down.not_before is None


def test_trap_6_restart_in_the_middle_of_an_outage_tells_nothing_anew():
    """Parent down, children unreachable, then a new process with the same memory: the order of results is any."""

    async def plot(tower: Watchtower) -> None:
        tower.watch(host("gate"), *(host(f"ap-{number}", "gate") for number in range(30)))
        await asyncio.sleep(30)
        tower.cut("gate", *(f"ap-{number}" for number in range(30)))
        await asyncio.sleep(20)
        records = tower.records()
        for name in records:
            tower.patrol.drop(name)  # type: ignore[arg-type]
        told = len(tower.teller.told)
        for name, record in reversed(records.items()):
            parents = () if name == "gate" else ("gate",)
            tower.watch(host(name, *parents), state=record.host_state(), seen_at=tower.clock.now())
        await asyncio.sleep(60)
        new = [event for event in tower.teller.told[told:] if isinstance(event, HostTransition)]
        assert new == []

    assert len(watch_over(plot).events(HostUnreachable)) == 30


def test_new_host_that_never_answered_needs_two_rounds():
    async def plot(tower: Watchtower) -> None:
        tower.cut("new")
        tower.watch(host("new"), state=State())
        await asyncio.sleep(30)

    [down] = watch_over(plot).events(HostDown)
    assert down.previous is HostState.UNKNOWN


@pytest.mark.parametrize("jump", [timedelta(days=-3), timedelta(days=400)], ids=["back", "ahead"])
def test_clock_that_jumps_changes_no_verdict(jump):
    async def plot(tower: Watchtower) -> None:
        tower.watch(host("ap"))
        await asyncio.sleep(30)
        tower.cut("ap")
        await asyncio.sleep(0.7)
        tower.clock.shift = jump
        await asyncio.sleep(20)
        tower.restore("ap")
        await asyncio.sleep(10)

    tower = watch_over(plot)
    assert tower.alarms() == [("down", "ap"), ("up", "ap")]
    [up] = tower.events(HostUp)
    assert up.outage_s is not None
    assert up.outage_s >= 0
