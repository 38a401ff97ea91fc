"""Levels, partitions and the backlog of samples."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.core.backlog import Backlog
from services.api.core.charts import Measured, graded
from services.api.core.faults import Faulty
from services.api.core.measurements import (
    EARLY,
    HOST_LEVELS,
    HOURS,
    LATE,
    MOST_POINTS,
    SLICES,
    Kept,
    bucket_of,
    partition_at,
    partition_end,
    partitions_between,
    wanted,
)
from services.api.handlers.recorder import Recorder
from shared.contracts.message import Message
from shared.contracts.samples import HostSlices, RouterReadings
from shared.contracts.vocabulary import Grade
from shared.errors import Invalid, Unreachable
from shared.telemetry import Metrics
from tests.fakes.clock import FakeClock

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
KEPT = Kept(raw_days=2, minutes_days=14, fives_days=90, hours_days=730, history_days=365)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


def slices(*hosts: str, at: datetime = NOW) -> HostSlices:
    n = len(hosts)
    nothing = (None,) * n
    return HostSlices(
        instance="p",
        at=at,
        slice_s=10,
        hosts=hosts,
        sent=(1,) * n,
        received=(0,) * n,
        rtt_min_ms=nothing,
        rtt_avg_ms=nothing,
        rtt_max_ms=nothing,
        jitter_ms=nothing,
    )


@pytest.mark.parametrize(
    ("hours", "ago_days", "level", "step_s"),
    [
        (1, 0, "raw", 6),
        (1.6, 0, "raw", 10),
        (10, 0, "1m", 60),
        (24, 0, "5m", 300),
        (50, 0, "5m", 300),
        (24 * 7, 0, "1h", 3600),
        (24 * 25, 0, "1h", 3600),
        (24 * 50, 0, "1h", 7200),
        (24 * 730, 0, "1h", 30 * 3600),
        (1, 3, "1m", 60),
        (1, 20, "5m", 300),
        (1, 100, "1h", 3600),
    ],
)
def test_level_of_a_chart(hours: float, ago_days: int, level: str, step_s: int) -> None:
    ends = NOW - timedelta(days=ago_days)
    found = wanted(HOST_LEVELS, ends - timedelta(hours=hours), ends, now=NOW, kept=KEPT)
    assert (found.level.name, found.step_s) == (level, step_s)


@given(st.integers(1, 20_000), st.integers(0, 700))
def test_a_chart_never_has_many_more_points_than_wanted(hours: int, ago_days: int) -> None:
    ends = NOW - timedelta(days=ago_days)
    found = wanted(HOST_LEVELS, ends - timedelta(hours=hours), ends, now=NOW, kept=KEPT)
    assert hours * 3600 / found.step_s <= MOST_POINTS
    assert found.level.step_s == 0 or found.step_s % found.level.step_s == 0


def test_a_chart_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(Faulty):
        wanted(HOST_LEVELS, NOW, NOW, now=NOW, kept=KEPT)


@given(moments, st.sampled_from([60, 300, 3600]))
def test_a_slice_counts_where_it_was_measured(moment: datetime, step_s: int) -> None:
    begins = bucket_of(moment, step_s)
    assert begins < moment <= begins + timedelta(seconds=step_s)
    assert begins.timestamp() % step_s == 0


@given(moments, st.sampled_from([SLICES, HOURS]))
def test_every_moment_has_one_partition_that_knows_its_end(moment: datetime, level) -> None:
    piece = partition_at(level, moment)
    assert piece.begins <= moment < piece.ends
    assert partition_end(level, piece.name) == piece.ends
    assert partition_at(level, piece.ends).begins == piece.ends


@given(moments, st.integers(0, 100), st.sampled_from([SLICES, HOURS]))
def test_partitions_follow_each_other(begins: datetime, days: int, level) -> None:
    ends = begins + timedelta(days=days)
    pieces = list(partitions_between(level, begins, ends))
    assert pieces[0].begins <= begins
    assert pieces[-1].ends > ends
    assert all(one.ends == after.begins for one, after in pairwise(pieces))


@pytest.mark.parametrize("name", ["host_slices", "host_slices_old", "host_slices_2026112", "readings_20261120"])
def test_tables_of_others_are_no_partitions(name: str) -> None:
    assert partition_end(SLICES, name) is None


class TestBacklog:
    def test_oldest_goes_first_and_is_counted(self) -> None:
        backlog = Backlog(most_rows=5)
        for number in range(4):
            backlog.take_slices(slices("a", "b", at=NOW + timedelta(seconds=number)), NOW)
        assert (backlog.rows, backlog.dropped) == (4, 4)
        assert [block.at.second for block in backlog.batch(100)] == [2, 3]

    def test_a_batch_that_was_dropped_meanwhile_takes_nothing_else_along(self) -> None:
        backlog = Backlog(most_rows=4)
        backlog.take_slices(slices("a", "b"), NOW)
        backlog.take_slices(slices("c", "d"), NOW)
        batch = backlog.batch(100)
        backlog.take_slices(slices("e", "f"), NOW)
        backlog.done(batch)
        assert backlog.rows == 2
        (left,) = backlog.batch(100)
        assert [backlog.hosts.known[place] for place in left.hosts] == [("e",), ("f",)]

    @pytest.mark.parametrize("at", [NOW - LATE - timedelta(seconds=1), NOW + EARLY + timedelta(seconds=1)])
    def test_off_time_is_counted_and_left_out(self, at: datetime) -> None:
        backlog = Backlog(100)
        backlog.take_slices(slices("a", "b", at=at), NOW)
        backlog.take_readings(RouterReadings.model_validate({**RouterReadings.EXAMPLE, "at": at}), NOW)
        assert (backlog.rows, backlog.off_time) == (0, 4)

    def test_hosts_that_were_not_asked_have_no_row(self) -> None:
        backlog = Backlog(100)
        sample = slices("a", "b", "c").model_copy(update={"sent": (1, 0, 2), "received": (1, 0, 0)})
        backlog.take_slices(sample, NOW)
        backlog.take_slices(slices("a").model_copy(update={"sent": (0,)}), NOW)
        (block,) = backlog.batch(100)
        assert [backlog.hosts.known[place] for place in block.hosts] == [("a",), ("c",)]
        assert (list(block.sent), list(block.received)) == ([1, 2], [1, 0])

    def test_names_that_no_database_takes_are_made_harmless(self) -> None:
        backlog = Backlog(100)
        backlog.take_slices(slices("a\0b", "x" * 5000), NOW)
        assert backlog.hosts.known == [("ab",), ("x" * 200,)]

    def test_columns_of_different_lengths_are_left_out(self) -> None:
        backlog = Backlog(100)
        backlog.take_slices(slices("a", "b").model_copy(update={"sent": (1,)}), NOW)
        assert (backlog.rows, backlog.torn) == (0, 2)

    @given(st.lists(st.integers(1, 5), max_size=30), st.integers(1, 10))
    def test_nothing_is_lost_uncounted(self, sizes: list[int], most: int) -> None:
        backlog = Backlog(most)
        for size in sizes:
            backlog.take_slices(slices(*map(str, range(size))), NOW)
        assert backlog.rows + backlog.dropped == sum(sizes)
        assert backlog.rows <= max(most, sizes[-1] if sizes else 0)
        backlog.done(backlog.batch(10**9))
        assert backlog.rows == 0


class Shelf:
    """A store that can be away, or refuse."""

    def __init__(self) -> None:
        self.written: list[object] = []
        self.trouble: Exception | None = None

    async def write(self, blocks, now):
        if self.trouble is not None:
            raise self.trouble
        self.written += blocks


async def taking(recorder: Recorder, *samples: Message) -> None:
    for sample in samples:
        await recorder.take(sample)


class TestRecorder:
    @pytest.fixture
    def backlog(self) -> Backlog:
        return Backlog(1000)

    async def test_what_waits_while_the_store_is_away_is_written_later(self, backlog: Backlog) -> None:
        shelf = Shelf()
        recorder = Recorder(backlog, shelf, clock=FakeClock(NOW), metrics=Metrics())
        shelf.trouble = Unreachable("away")
        await taking(recorder, slices("a"), slices("b"))
        with pytest.raises(Unreachable):
            await recorder.write_all()
        assert backlog.rows == 2
        shelf.trouble = None
        await recorder.write_all()
        assert (backlog.rows, len(shelf.written)) == (0, 2)

    async def test_what_is_refused_for_good_does_not_stand_in_the_way(self, backlog: Backlog) -> None:
        shelf = Shelf()
        recorder = Recorder(backlog, shelf, clock=FakeClock(NOW), metrics=Metrics())
        shelf.trouble = Invalid("never")
        await taking(recorder, slices("a"))
        await recorder.write_all()
        assert backlog.rows == 0
        shelf.trouble = None
        await taking(recorder, slices("b"))
        await recorder.write_all()
        assert len(shelf.written) == 1


def test_too_little_is_not_graded() -> None:
    assert graded(None) is None
    assert graded(Measured(99, 99, 10, 0.1)) is None
    assert graded(Measured(100, 0, None, None)) is None


def test_a_month_is_graded_by_its_worst() -> None:
    found = graded(Measured(1000, 950, 20, 0.5))
    assert found is not None
    assert (found.loss_grade, found.delay_grade, found.jitter_grade, found.grade) == (
        Grade.POOR,
        Grade.EXCELLENT,
        Grade.EXCELLENT,
        Grade.POOR,
    )
