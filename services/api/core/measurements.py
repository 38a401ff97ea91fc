"""Where measurements are kept, how finely, for how long; and which of it a chart is drawn from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from services.api.core.faults import Fault, Faulty

LATE = timedelta(hours=24)
"""Samples that end longer ago are not taken in: their coarser levels are settled."""
EARLY = timedelta(hours=1)
"""Nor are those that come from so far ahead: somebody's clock is wrong."""
AHEAD = timedelta(days=3)
"""So far ahead partitions are made: an api that is stopped over a weekend finds its tables when it returns."""
GRACE = timedelta(seconds=30)
"""A bucket is counted so long after its end, when its last slices have arrived."""
MOST_POINTS = 600


class Width(StrEnum):
    """How much time one partition holds."""

    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Level:
    """One table of measurements. `step_s`: length of a bucket; 0: as it was measured."""

    name: str  # as people and programs read it
    table: str
    step_s: int
    width: Width


SLICES = Level("raw", "host_slices", 0, Width.DAY)
MINUTES = Level("1m", "host_minutes", 60, Width.DAY)
FIVES = Level("5m", "host_fives", 300, Width.DAY)
HOURS = Level("1h", "host_hours", 3600, Width.MONTH)
READINGS = Level("raw", "readings", 0, Width.DAY)
READING_FIVES = Level("5m", "reading_fives", 300, Width.DAY)
READING_HOURS = Level("1h", "reading_hours", 3600, Width.MONTH)

HOST_LEVELS = (SLICES, MINUTES, FIVES, HOURS)
READING_LEVELS = (READINGS, READING_FIVES, READING_HOURS)


@dataclass(frozen=True, slots=True)
class Kept:
    """For how many days each level is kept, and how long history (events, sessions, transitions) is."""

    raw_days: int
    minutes_days: int
    fives_days: int
    hours_days: int
    history_days: int

    def of(self, level: Level) -> timedelta:
        """How long a level is kept."""
        days: Mapping[int, int] = {0: self.raw_days, 60: self.minutes_days, 300: self.fives_days, 3600: self.hours_days}
        return timedelta(days=days[level.step_s])


@dataclass(frozen=True, slots=True)
class Partition:
    """A piece of a level's table: from inclusive, to exclusive."""

    name: str
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a chart is drawn from: a level, and how long one of its points is."""

    level: Level
    step_s: int


def partition_at(level: Level, moment: datetime) -> Partition:
    """The partition of a level that holds a moment; days and months are UTC's."""
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if level.width is Width.DAY:
        return Partition(f"{level.table}_{day:%Y%m%d}", day, day + timedelta(days=1))
    begins = day.replace(day=1)
    return Partition(f"{level.table}_{begins:%Y%m}", begins, (begins + timedelta(days=32)).replace(day=1))


def partitions_between(level: Level, begins: datetime, ends: datetime) -> Iterator[Partition]:
    """The partitions that hold everything from `begins` to `ends`."""
    moment = begins
    while True:
        piece = partition_at(level, moment)
        yield piece
        moment = piece.ends
        if moment > ends:
            return


def partition_end(level: Level, name: str) -> datetime | None:
    """When a partition of this name ends; None: it is no partition of this level."""
    digits = name.removeprefix(f"{level.table}_")
    pattern = {8: "%Y%m%d", 6: "%Y%m"}.get(len(digits))
    if digits == name or pattern is None or not digits.isdigit():
        return None
    return partition_at(level, datetime.strptime(digits, pattern).replace(tzinfo=UTC)).ends


def bucket_of(moment: datetime, step_s: int) -> datetime:
    """The begin of the bucket in which a slice that ends at `moment` counts: an end on the border is the earlier's."""
    seconds = math.ceil(moment.timestamp() / step_s) - 1
    return datetime.fromtimestamp(seconds * step_s, UTC)


def wanted(levels: tuple[Level, ...], begins: datetime, ends: datetime, *, now: datetime, kept: Kept) -> Wanted:
    """The finest level that still has `begins` and needs at most `MOST_POINTS`; points of the coarsest grow if need be.

    Raises Faulty where the span is no span.
    """
    if ends <= begins:
        raise Faulty([Fault("to", "before_from", "«to» must be later than «from».")])
    span_s = (ends - begins).total_seconds()
    for level in levels[:-1]:
        usual_s = level.step_s or 10  # pollers speak every ten seconds
        if span_s <= usual_s * MOST_POINTS and begins >= now - kept.of(level):
            step_s = level.step_s or max(1, math.ceil(span_s / MOST_POINTS))
            return Wanted(level, step_s)
    coarsest = levels[-1]
    return Wanted(coarsest, coarsest.step_s * max(1, math.ceil(span_s / coarsest.step_s / MOST_POINTS)))
