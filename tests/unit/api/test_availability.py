"""Availability: the sums are the span, and the order of arrival does not matter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.core.availability import (
    Availability,
    Change,
    Counted,
    Span,
    availability_of,
    merged,
    month_before,
    month_span,
    tally,
    timeline,
)
from services.api.core.faults import Faulty
from shared.contracts.inventory import Host, Maintenance

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
SPAN = Span(BEGIN, BEGIN + timedelta(hours=10))
HOST = Host.model_validate(
    {"id": "h1", "site_id": "s1", "name": "core-1", "address": "10.0.0.1", "group_id": "g1", "via_router": "r1"}
)


def hour(number: float) -> datetime:
    return BEGIN + timedelta(hours=number)


def change(at: float, state: str, transition: int = 0, **more: bool) -> Change:
    return Change(hour(at), transition, Counted(state), **more)


def work(begins: float, ends: float, **more: object) -> Maintenance:
    plain = {"id": "m", "title": "t", "begins_at": hour(begins), "ends_at": hour(ends), "host_ids": ["h1"]}
    return Maintenance.model_validate({**plain, **more})


def hours(found: Availability) -> tuple[float, ...]:
    sums = (found.up_s, found.down_s, found.unreachable_s, found.unknown_s, found.maintenance_s)
    return tuple(round(each / 3600, 6) for each in sums)


changes = st.lists(
    st.builds(
        Change,
        st.integers(-5, 15).map(hour),
        st.integers(0, 30),
        st.sampled_from([state for state in Counted if state is not Counted.MAINTENANCE]),
        st.booleans(),
    ),
    max_size=12,
    unique_by=lambda one: (one.since, one.transition),
)
works = st.lists(
    st.builds(
        lambda begins, lasts, flexible: work(begins, begins + lasts, duration_s=flexible),
        st.integers(-5, 12),
        st.integers(1, 8),
        st.none() | st.integers(1, 20_000),
    ),
    max_size=4,
)


@given(changes, works)
def test_the_sums_are_the_span(these, announced):
    assert sum(hours(availability_of(HOST, these, announced, SPAN))) == pytest.approx(10)


@given(changes, works, st.randoms(use_true_random=False))
def test_order_of_arrival_does_not_matter(these, announced, dice):
    shuffled, otherwise = these[:], announced[:]
    dice.shuffle(shuffled)
    dice.shuffle(otherwise)
    assert availability_of(HOST, these, announced, SPAN) == availability_of(HOST, shuffled, otherwise, SPAN)


@given(changes, works, st.integers(1, 9))
def test_two_halves_are_the_whole(these, announced, cut):
    fixed = [each for each in announced if each.duration_s is None]
    steady = [Change(one.since, one.transition, one.state) for one in these]
    parts = [Span(SPAN.begins, hour(cut)), Span(hour(cut), SPAN.ends)]
    halves = [availability_of(HOST, steady, fixed, part) for part in parts]
    assert hours(halves[0] + halves[1]) == pytest.approx(hours(availability_of(HOST, steady, fixed, SPAN)))


@given(changes)
def test_the_timeline_has_no_gaps(these):
    intervals = timeline(these, SPAN)
    assert intervals[0].span.begins == SPAN.begins
    assert intervals[-1].span.ends == SPAN.ends
    for one, after in pairwise(intervals):
        assert one.span.ends == after.span.begins


@given(st.lists(st.builds(lambda a, b: Span(hour(a), hour(a + b)), st.integers(0, 20), st.integers(0, 5)), max_size=8))
def test_merged_spans_hold_the_same_hours(spans):
    def inside(moment: datetime, these: list[Span]) -> bool:
        return any(span.begins <= moment < span.ends for span in these)

    together = merged(spans)
    assert all(inside(hour(n), together) == inside(hour(n), spans) for n in range(26))
    assert all(one.ends < after.begins for one, after in pairwise(together))


def test_backfilled_outage_corrects_the_past():
    known = [change(0, "up", 1)]
    assert availability_of(HOST, known, (), SPAN).percent == 100
    late = [*known, change(3, "up", 3), change(2, "down", 2)]
    found = availability_of(HOST, late, (), SPAN)
    assert hours(found) == (9, 1, 0, 0, 0)
    assert found.percent == 90
    assert found.outages == 1


def test_what_was_before_the_span_still_holds_in_it():
    assert hours(availability_of(HOST, [change(-100, "down", 1), change(4, "up", 2)], (), SPAN)) == (6, 4, 0, 0, 0)


def test_unreachable_and_unknown_count_for_neither_side():
    these = [change(0, "up", 1), change(2, "unreachable", 2), change(4, "unknown", 3), change(6, "down", 4)]
    found = availability_of(HOST, these, (), SPAN)
    assert hours(found) == (2, 4, 2, 2, 0)
    assert found.percent == pytest.approx(100 / 3)


def test_nothing_known_has_no_percentage():
    assert availability_of(HOST, (), (), SPAN) == Availability(unknown_s=36_000)
    assert availability_of(HOST, (), (), SPAN).percent is None


@pytest.mark.parametrize(
    "named",
    [
        {"host_ids": ["h1"]},
        {"host_ids": [], "site_ids": ["s1"]},
        {"host_ids": [], "group_ids": ["g1"]},
        {"host_ids": [], "router_ids": ["r1"]},
    ],
)
def test_announced_work_is_left_out(named):
    these = [change(0, "up", 1), change(2, "down", 2), change(4, "up", 3)]
    found = availability_of(HOST, these, [work(1, 3, **named), work(2, 3, **named)], SPAN)
    assert hours(found) == (7, 1, 0, 0, 2)
    assert found.outages == 0


def test_work_on_others_does_not_count():
    assert hours(availability_of(HOST, [change(0, "up")], [work(1, 3, host_ids=["h2"])], SPAN)) == (10, 0, 0, 0, 0)


def test_flexible_work_begins_with_the_first_outage():
    these = [change(0, "up", 1), change(3, "down", 2), change(7, "up", 3)]
    assert hours(availability_of(HOST, these, [work(2, 6, duration_s=7200)], SPAN)) == (6, 2, 0, 0, 2)
    assert hours(availability_of(HOST, these[:1], [work(2, 6, duration_s=7200)], SPAN)) == (10, 0, 0, 0, 0)


def test_work_that_is_no_longer_in_the_books_is_believed_to_the_change():
    these = [change(0, "up", 1), change(3, "down", 2, in_maintenance=True), change(5, "up", 3)]
    assert hours(availability_of(HOST, these, (), SPAN)) == (8, 0, 0, 0, 2)
    assert hours(availability_of(HOST, these, [work(3, 4)], SPAN)) == (8, 1, 0, 0, 1)


def test_an_outage_is_counted_once_however_often_it_was_told():
    these = [change(0, "up", 1), change(2, "down", 2), change(3, "down", 3), change(4, "up", 4), change(6, "down", 5)]
    assert tally(timeline(these, SPAN)).outages == 2


def test_months():
    now = datetime(2026, 11, 20, 14, tzinfo=UTC)
    assert month_span("2026-10", now) == Span(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
    assert month_span("2026-11", now).ends == now
    assert month_before("2026-01") == "2025-12"


@pytest.mark.parametrize("month", ["", "2026", "2026-13", "2026-11-01", "2026-12", "november"])
def test_what_is_no_month_is_refused(month):
    with pytest.raises(Faulty):
        month_span(month, datetime(2026, 11, 20, tzinfo=UTC))
