"""Spreading, drift, the wheel, and timeouts that follow the host."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.poller.core.schedule import TimeWheel, next_round, offset
from services.poller.core.timeout import RoundTrips
from shared.contracts.inventory import PROBE_POLICIES

INFRA = PROBE_POLICIES["infra"]


def test_thousand_targets_are_spread_over_the_interval():
    tenths = [0] * 10
    for number in range(1000):
        tenths[int(offset(f"host-{number}", 10.0))] += 1
    assert min(tenths) > 60


@given(now=st.floats(min_value=0, max_value=1e6), interval_s=st.sampled_from([1.0, 10.0, 60.0]))
def test_next_round_is_ahead_within_one_interval_and_on_the_grid(now, interval_s):
    at = next_round("core-1", interval_s, now)
    assert now < at <= now + interval_s + 1e-6
    steps = (at - offset("core-1", interval_s)) / interval_s
    assert steps == pytest.approx(round(steps), abs=1e-5)


def test_late_walker_does_not_drift_and_makes_up_for_nothing():
    at = next_round("core-1", 1.0, 100.0)
    assert next_round("core-1", 1.0, at + 0.4) == pytest.approx(at + 1.0)
    assert next_round("core-1", 1.0, at + 5.4) == pytest.approx(at + 6.0)


@given(st.lists(st.floats(min_value=0, max_value=100), max_size=60), st.floats(min_value=0, max_value=100))
def test_wheel_gives_every_item_once_and_none_too_early(moments, now):
    wheel: TimeWheel[int] = TimeWheel(0.01)
    for number, at in enumerate(moments):
        wheel.add(at, number)
    early, late = wheel.due(now), wheel.due(1000.0)
    assert sorted(early + late) == list(range(len(moments)))
    assert all(moments[number] <= now + 1e-9 for number in early)
    assert all(moments[number] > now - 0.0101 for number in late)
    assert wheel.next_at() is None


@pytest.mark.parametrize(
    ("rtts", "expected"),
    [
        pytest.param([1.0] * 19, 1.0, id="too-few-samples"),
        pytest.param([1.0] * 20, 0.05, id="near-host-waits-the-least"),
        pytest.param([100.0] * 20, 0.4, id="four-times-p95"),
        pytest.param([600.0] * 20, 1.0, id="never-longer-than-the-policy"),
        pytest.param([20.0] * 16 + [150.0] * 4, 0.6, id="p95-not-the-mean"),
    ],
)
def test_timeout_follows_the_round_trips(rtts, expected):
    trips = RoundTrips()
    for rtt in rtts:
        trips.add(rtt)
    assert trips.timeout_s(INFRA) == pytest.approx(expected)


def test_old_round_trips_are_forgotten():
    trips = RoundTrips()
    for rtt in [500.0] * 64 + [5.0] * 80:
        trips.add(rtt)
    assert trips.timeout_s(INFRA) == 0.05
    assert trips.last_ms == pytest.approx(5.0)
