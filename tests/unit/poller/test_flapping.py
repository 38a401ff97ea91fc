"""Flapping: the ring as a table of known series, its companions as stories."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from services.poller.core.flapping import Flap, changed, percent, ring_flaps, waited
from shared.contracts.events import HostDown, HostFlapping, HostSteady
from shared.contracts.ids import HostId
from shared.contracts.vocabulary import HostState
from tests.fakes.watchtower import Watchtower, host, watch_over

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def ring(changes: set[int], slots: int) -> tuple[int | None, int | None, list[float]]:
    """In which slot the ring alone starts and ends flapping, counted from 1, and its value in every slot."""
    starts = ends = None
    flaps, values = False, []
    for slot in range(1, slots + 1):
        values.append(round(percent((c for c in changes if c <= slot), slot), 1))
        before, flaps = flaps, ring_flaps(values[-1], flaps=flaps)
        if flaps and not before:
            starts = starts or slot
        if before and not flaps:
            ends = ends or slot
    return starts, ends, values


@pytest.mark.parametrize(
    ("changes", "starts", "at_start", "ends", "at_end"),
    [
        pytest.param(set(range(1, 61)), 6, 33.9, None, None, id="every-slot"),
        pytest.param(set(range(1, 61, 2)), 11, 32.4, None, None, id="every-second-slot"),
        pytest.param(set(range(1, 61, 3)), 16, 30.9, None, None, id="every-third-slot"),
        pytest.param(set(range(1, 61, 4)), None, None, None, None, id="every-fourth-slot"),
        pytest.param(set(range(1, 6)), None, None, None, None, id="five-changes-then-quiet"),
        pytest.param(set(range(1, 7)), 6, 33.9, 21, 21.0, id="six-changes-then-quiet"),
        pytest.param(set(range(1, 21)), 6, 33.9, 35, 21.0, id="twenty-changes-then-quiet"),
    ],
)
def test_ring_starts_and_ends_as_computed(changes, starts, at_start, ends, at_end):
    found_start, found_end, values = ring(changes, 60)
    assert (found_start, found_end) == (starts, ends)
    if starts:
        assert values[starts - 1] == at_start
    if ends:
        assert values[ends - 1] == at_end


def test_ring_that_is_full_is_at_99_and_every_fourth_slot_peaks_below_the_start():
    assert ring(set(range(1, 61)), 60)[2][-1] == 99.0
    assert max(ring(set(range(1, 61, 4)), 60)[2]) == 25.5


def test_two_changes_in_one_bucket_count_once():
    assert percent([7, 7, 7], 7) == percent([7], 7)


def flap_of(seconds: list[float], downs: list[bool] | None = None) -> Flap:
    flap = Flap()
    for number, second in enumerate(seconds):
        down = downs[number] if downs else number % 2 == 0
        flap = changed(flap, NOON + timedelta(seconds=second), down=down)
    return flap


def test_four_outages_in_half_an_hour_are_flapping_however_slow():
    slow = [0, 200, 500, 700, 1000, 1200, 1500]
    assert flap_of(slow[:-1]).since is None
    assert flap_of(slow).since == NOON + timedelta(seconds=1500)


def test_four_outages_over_more_than_half_an_hour_are_not():
    assert flap_of([0, 200, 700, 900, 1400, 1600, 1900]).since is None


def test_flapping_ends_only_after_ten_quiet_minutes():
    flap = flap_of([0, 30, 60, 90, 120, 150])
    assert flap.since is not None
    last = NOON + timedelta(seconds=150)
    assert waited(flap, last + timedelta(seconds=599)).since is not None
    assert waited(flap, last + timedelta(seconds=600)) == Flap()


def test_clock_that_is_set_back_does_not_keep_it_for_ever():
    flap = flap_of([0, 30, 60, 90, 120, 150])
    assert waited(flap, NOON - timedelta(days=1)) == Flap()


# ── stories ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def shake(tower: Watchtower, times: int) -> None:
    for _ in range(times):
        tower.cut("ap")
        await asyncio.sleep(20)
        tower.restore("ap")
        await asyncio.sleep(20)


def test_host_that_changes_every_20_s_is_told_flapping_once_and_steady_once():
    async def plot(tower: Watchtower) -> None:
        tower.watch(host("ap"))
        await asyncio.sleep(30)
        await shake(tower, 10)
        assert tower.state("ap") is HostState.FLAPPING
        await asyncio.sleep(700)
        assert tower.state("ap") is HostState.UP

    tower = watch_over(plot)
    [began] = tower.events(HostFlapping)
    [steady] = tower.events(HostSteady)
    told = tower.teller.told
    assert isinstance(told[told.index(began) + 1], HostDown), "said before the change that makes it flapping"
    assert began.changes >= 6
    assert (steady.state, steady.flapping_since) == (HostState.UP, began.at)
    assert steady.changes == 20
    last_change = tower.at([event for event in told if event.NAME == "host.up"][-1])
    assert 600 <= tower.at(steady) - last_change <= 631


def test_flapping_survives_a_restart():
    async def plot(tower: Watchtower) -> None:
        tower.watch(host("ap"))
        await asyncio.sleep(30)
        await shake(tower, 6)
        record = tower.records()["ap"]
        tower.patrol.drop(HostId("ap"))
        tower.watch(host("ap"), state=record.host_state())
        assert tower.state("ap") is HostState.FLAPPING
        await asyncio.sleep(700)

    tower = watch_over(plot)
    assert len(tower.events(HostFlapping)) == len(tower.events(HostSteady)) == 1


def test_children_of_a_flapping_parent_do_not_flap():
    async def plot(tower: Watchtower) -> None:
        tower.watch(host("ap"), host("cpe", "ap"))
        await asyncio.sleep(30)
        for _ in range(10):
            tower.cut("ap", "cpe")
            await asyncio.sleep(20)
            tower.restore("ap", "cpe")
            await asyncio.sleep(20)

    assert [event.host_id for event in watch_over(plot).events(HostFlapping)] == ["ap"]
