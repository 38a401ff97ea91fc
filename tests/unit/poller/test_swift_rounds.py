"""Rounds that are asked all at once: what is told and measured is the same as one by one."""

from __future__ import annotations

import asyncio
import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.poller.core.gauge import Gauge, Turn
from services.poller.core.judge import State
from services.poller.core.reply import WentDown
from services.poller.core.schedule import SLOT_S, Round, slot_of
from services.poller.core.timeout import RoundTrips
from services.poller.loop import Patrol
from services.poller.measuring import Measurements
from services.poller.ports import NOT_SWIFT
from shared.contracts.ids import HostId, SiteId
from shared.contracts.inventory import PROBE_POLICIES, Host
from shared.contracts.samples import HostSlices
from shared.contracts.vocabulary import HostState, ProbeKind
from tests.fakes.network import FakeNetwork, FakeResolver, SwiftNetwork
from tests.fakes.virtual_time import VirtualClock, run_virtually

HOSTS = 6
CHANGES = ("cut", "mended", "slow", "quick", "no_way_out", "a_way_out")


def address(number: int) -> str:
    return f"10.20.0.{number}"


def change(network: FakeNetwork, what: str, where: str) -> None:
    match what:
        case "cut":
            network.cut.add(where)
        case "mended":
            network.cut.discard(where)
        case "slow":
            network.rtt_s[where] = 0.45
        case "quick":
            network.rtt_s.pop(where, None)
        case _:
            network.no_way_out = what == "no_way_out"


def watch_over(network: FakeNetwork, course: list[tuple[float, str, int]], end_s: float) -> tuple[list[object], ...]:
    """What is told, what is measured of whom, and what was asked, over a course of changes."""

    async def run() -> tuple[list[object], ...]:
        clock = VirtualClock()
        told: list[object] = []
        measured: list[object] = []

        async def say(slices: HostSlices) -> None:
            measured.append(slices.model_dump(exclude={"message_id", "at"}))

        patrol = Patrol(
            {ProbeKind.ICMP: network},
            FakeResolver(),
            clock,
            on_facts=lambda watch, facts: told.extend((watch.host.id, fact) for fact in facts),
            measurements=Measurements(clock, "p1", say=say),
        )
        walking = asyncio.create_task(patrol.run())
        for number in range(HOSTS):
            host = Host(id=HostId(f"h{number}"), site_id=SiteId("waru"), name=f"h{number}", address=address(number))
            patrol.put(host, PROBE_POLICIES["infra"], State(HostState.UP, 1))
        loop = asyncio.get_running_loop()
        began = loop.time()
        for at, what, number in sorted(course):
            await asyncio.sleep(max(0.0, began + at - loop.time()))
            change(network, what, address(number))
        await asyncio.sleep(max(0.0, began + end_s - loop.time()))
        walking.cancel()
        await asyncio.gather(walking, return_exceptions=True)
        return told, measured, [where for _, where in network.asked_at], [patrol.asked_total]

    return run_virtually(run())


course_of_changes = st.lists(
    st.tuples(st.integers(0, 600).map(lambda at: at / 10 + 0.033), st.sampled_from(CHANGES), st.integers(0, HOSTS - 1)),
    max_size=12,
)


@settings(max_examples=50, deadline=None)
@given(course_of_changes)
def test_whatever_happens_is_told_and_measured_as_if_asked_one_by_one(course):
    swift = SwiftNetwork()
    together = watch_over(swift, course, 70.0)
    singly = watch_over(FakeNetwork(), course, 70.0)
    assert together[0] == singly[0], "told"
    assert together[3] == singly[3], "asked"
    assert Counter(together[2]) == Counter(singly[2]), "who"
    assert without_rounding(together[1]) == without_rounding(singly[1]), "measured"


def without_rounding(found: object) -> object:
    if isinstance(found, float):
        return round(found, 2)
    if isinstance(found, dict):
        return {key: without_rounding(value) for key, value in found.items()}
    if isinstance(found, (list, tuple)):
        return [without_rounding(value) for value in found]
    return found


def test_hosts_without_trouble_are_asked_swiftly_and_others_not():
    network = SwiftNetwork()
    told, *_ = watch_over(network, [(20.0, "cut", 0), (20.0, "slow", 1)], 60.0)
    assert [type(fact) for _, fact in told] == [WentDown]
    assert network.asked_swiftly[address(0)] == pytest.approx(20, abs=2), "none while it is down"
    assert network.asked_swiftly[address(2)] == pytest.approx(59, abs=2), "all but the first"


@given(
    st.lists(st.floats(0.01, 5_000), min_size=1, max_size=16),
    st.lists(st.floats(0.01, 5_000), max_size=3),
)
def test_many_round_trips_at_once_count_as_one_by_one(rtts, before):
    turn = Turn()
    one_by_one, at_once = Gauge(turn), Gauge(turn)
    for gauge in (one_by_one, at_once):
        for number, rtt_ms in enumerate(before):
            gauge.asked(number, counts=True)
            gauge.answered(number, rtt_ms)
    for number, rtt_ms in enumerate(rtts, len(before)):
        one_by_one.asked(number, counts=True)
        one_by_one.answered(number, rtt_ms)
    at_once.came_back(rtts, turn.base)
    half = turn.flip()
    assert at_once.take(half) == pytest.approx(one_by_one.take(half))


@given(st.lists(st.lists(st.floats(0.01, 900), min_size=1, max_size=16), max_size=12))
def test_many_round_trips_at_once_leave_the_same_window(portions):
    one_by_one, at_once = RoundTrips(), RoundTrips()
    for portion in portions:
        for rtt_ms in portion:
            one_by_one.add(rtt_ms)
        at_once.extend(portion)
    assert at_once.last_ms == one_by_one.last_ms
    assert list(at_once._times) == list(one_by_one._times)


@given(st.floats(0, 300), st.sampled_from([0.05, 1.0, 5.0, 7.5, 60.0, 300.0]), st.floats(0, 1e6))
def test_a_round_comes_up_in_its_slot_of_every_interval(begin, interval_s, now):
    slot = slot_of(begin % interval_s)
    at = Round(slot, interval_s).next_at(now)
    assert now < at <= now + interval_s * 1.0000001
    due = math.ceil(at / SLOT_S) - slot
    assert due % round(interval_s / SLOT_S) == 0, "always the same slot, whatever the rounding"


def test_host_that_others_wait_for_is_asked_so_that_it_can_be_told():
    async def run() -> tuple[list[bool], int]:
        patrol = Patrol({ProbeKind.ICMP: SwiftNetwork()}, FakeResolver(), VirtualClock())
        walking = asyncio.create_task(patrol.run())
        host = Host(id=HostId("h1"), site_id=SiteId("waru"), name="h1", address=address(1))
        patrol.put(host, PROBE_POLICIES["infra"], State(HostState.UP, 1))
        await asyncio.sleep(5.5)
        watch = patrol.watches[host.id]
        swift = [watch.swift != NOT_SWIFT]
        watch.awaited = True
        watch.expect()
        swift.append(watch.swift != NOT_SWIFT)
        await asyncio.sleep(1.0)
        swift.append(watch.awaited)
        await asyncio.sleep(1.0)
        swift.append(watch.swift != NOT_SWIFT)
        walking.cancel()
        await asyncio.gather(walking, return_exceptions=True)
        return swift, watch.number

    assert run_virtually(run()) == ([True, False, False, True], 7)
