"""When a router is under stress."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.poller.core.limits import LimitBook, Relieved, Strain, Stressed, limits_of
from shared.contracts.inventory import RouterLimits
from shared.contracts.vocabulary import RouterResource as Resource

START = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
CPU = (Resource.CPU, "")
LIMITS = limits_of(RouterLimits(voltage_min=22.0, voltage_max=26.0))


def run(values, *, place=CPU, every_s=30.0, book=None, limits=LIMITS):
    """What is told, with the number of the reading that told it."""
    book = book or LimitBook()
    told = []
    for number, value in enumerate(values, 1):
        present = {} if value is None else {place: value}
        now = START + timedelta(seconds=every_s * number)
        told += [(number, type(fact).__name__, fact) for fact in book.judge(present, limits, now, {place[0]})]
    return told


def short(told):
    return [(number, name) for number, name, _ in told]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([95, 95], [], id="two-readings-are-a-peak"),
        pytest.param([95, 95, 95], [(3, "Stressed")], id="three-in-a-row"),
        pytest.param([95, 95, 20, 95, 95], [], id="interrupted-row-starts-anew"),
        pytest.param([90, 90, 90], [(3, "Stressed")], id="the-limit-itself-counts"),
        pytest.param([89.9] * 9, [], id="just-below"),
        pytest.param([95] * 20, [(3, "Stressed")], id="told-once"),
        pytest.param([95, 95, 95, 85, 85, 85, 85], [(3, "Stressed")], id="not-well-inside-is-no-relief"),
        pytest.param([95, 95, 95, 40, 40], [(3, "Stressed")], id="two-are-not-enough"),
        pytest.param(
            [95, 95, 95, 40, 40, 95, 40, 40, 40], [(3, "Stressed"), (9, "Relieved")], id="relief-is-confirmed"
        ),
    ],
)
def test_cpu(values, expected):
    assert short(run(values)) == expected


def test_slow_readings_confirm_after_a_minute_and_a_half():
    assert short(run([95, 95, 95], every_s=90)) == [(2, "Stressed")]


def test_stress_says_since_when_and_which_limit():
    [(_, _, fact)] = run([95, 96, 97])
    assert fact == Stressed(Resource.CPU, "", 97, 90.0, "%", START + timedelta(seconds=30))


@pytest.mark.parametrize(
    ("values", "limit"),
    [
        pytest.param([21.5] * 3, 22.0, id="too-low"),
        pytest.param([26.4] * 3, 26.0, id="too-high"),
    ],
)
def test_voltage_has_two_bounds(values, limit):
    [(_, _, fact)] = run(values, place=(Resource.VOLTAGE, "voltage"))
    assert (fact.limit, fact.part, fact.unit) == (limit, "voltage", "V")


def test_voltage_near_its_lower_bound_is_no_relief():
    place = (Resource.VOLTAGE, "voltage")
    assert short(run([21.0] * 3 + [22.1] * 5, place=place)) == [(3, "Stressed")]
    assert short(run([21.0] * 3 + [24.0] * 3, place=place)) == [(3, "Stressed"), (6, "Relieved")]


def test_clock_that_is_behind_is_as_wrong_as_one_that_is_ahead():
    [(_, _, fact)] = run([-400.0] * 3, place=(Resource.CLOCK, ""))
    assert (fact.value, fact.limit) == (-400.0, 60.0)


def test_part_that_disappears_while_stressed_is_relieved_without_a_value():
    told = run([95, 95, 95, None, None, None], place=(Resource.POOL, "pppoe"))
    assert short(told) == [(3, "Stressed"), (6, "Relieved")]
    assert told[1][2].value is None


def test_value_that_was_not_read_says_nothing():
    book = LimitBook()
    run([95, 95, 95], book=book)
    for number in range(10):
        assert book.judge({}, LIMITS, START + timedelta(minutes=10 + number), set()) == []


def test_limit_that_is_taken_away_relieves():
    book = LimitBook()
    run([95, 95, 95], book=book)
    [(_, name, _)] = run([95], book=book, limits={})
    assert name == "Relieved"


def test_break_of_the_connection_ends_a_row_but_not_a_stress():
    book = LimitBook()
    run([95, 95], book=book)
    book.interrupted()
    assert short(run([95, 95], book=book)) == []
    assert short(run([95], book=book)) == [(1, "Stressed")]
    book.interrupted()
    assert short(run([95] * 5, book=book)) == []


def test_restart_neither_repeats_nor_forgets():
    known = [(CPU, Strain(since=START, limit=90.0, unit="%"))]
    assert run([95] * 5, book=LimitBook(known)) == []
    [(_, _, fact)] = run([10] * 3, book=LimitBook(known))
    assert fact == Relieved(Resource.CPU, "", 10, 90.0, "%", START)


@given(st.lists(st.floats(0, 100), max_size=60), st.integers(0, 60))
def test_stress_and_relief_take_turns_whatever_comes_and_wherever_it_is_restarted(values, at):
    before = LimitBook()
    told = run(values[:at], book=before)
    open_since = next((fact.since for _, name, fact in reversed(told) if name == "Stressed"), None)
    still = told and told[-1][1] == "Stressed"
    after = LimitBook([(CPU, Strain(since=open_since, limit=90.0, unit="%"))] if still else [])
    names = [name for _, name, _ in told + run(values[at:], book=after)]
    assert names == ["Stressed", "Relieved"] * (len(names) // 2) + ["Stressed"] * (len(names) % 2)
