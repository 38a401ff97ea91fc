"""How much of a span of time a host was there, from its changes of state. Pure.

    availability = up / (up + down)

UNREACHABLE is shown beside it and counts for neither side: nobody could see the host behind what had fallen. Announced
work and what nobody knows are left out too, each with its own sum, and all sums together are the span.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from services.api.core.announced import concerns
from services.api.core.faults import Fault, Faulty
from shared.contracts.inventory import Host, Maintenance
from shared.contracts.vocabulary import HostState


class Counted(StrEnum):
    """What a moment of a host counts as."""

    UP = "up"
    DOWN = "down"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"
    MAINTENANCE = "maintenance"


def counted(state: HostState) -> Counted:
    """What a host in this state counts as; one that answers badly is up."""
    if state in (HostState.UP, HostState.DOWN, HostState.UNREACHABLE):
        return Counted(state)
    return Counted.UP if state in (HostState.DEGRADED, HostState.SUSPECT) else Counted.UNKNOWN


@dataclass(frozen=True, slots=True)
class Span:
    """From inclusive, to exclusive; never negative."""

    begins: datetime
    ends: datetime

    @property
    def seconds(self) -> float:
        """Its length."""
        return max((self.ends - self.begins).total_seconds(), 0.0)

    def cut(self, other: Span) -> Span | None:
        """What it has in common with another; None: nothing."""
        begins, ends = max(self.begins, other.begins), min(self.ends, other.ends)
        return Span(begins, ends) if begins < ends else None


@dataclass(frozen=True, slots=True)
class Change:
    """Since when a host is in a state. Ordered by time, and by number where two have the same."""

    since: datetime
    transition: int
    state: Counted
    in_maintenance: bool = False


@dataclass(frozen=True, slots=True)
class Interval:
    """A host in one state."""

    span: Span
    state: Counted
    in_maintenance: bool = False


@dataclass(frozen=True, slots=True)
class Availability:
    """The sums of a span, in seconds."""

    up_s: float = 0.0
    down_s: float = 0.0
    unreachable_s: float = 0.0
    unknown_s: float = 0.0
    maintenance_s: float = 0.0
    outages: int = 0  # times that it went down within the span, outside of announced work

    @property
    def percent(self) -> float | None:
        """None: it was neither up nor down in the span."""
        seen = self.up_s + self.down_s
        return 100.0 * self.up_s / seen if seen else None

    def __add__(self, other: Availability) -> Availability:
        return Availability(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


def month_span(month: str, now: datetime) -> Span:
    """A month of UTC as far as it has passed, from `YYYY-MM`. Raises Faulty for no month and for one to come."""
    try:
        begins = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    except ValueError:
        raise Faulty([Fault("month", "no_month", "Write the month like 2026-11.")]) from None
    if begins > now:
        raise Faulty([Fault("month", "to_come", "This month has not begun yet.")])
    return Span(begins, min(now, (begins + timedelta(days=32)).replace(day=1)))


def month_before(month: str) -> str:
    """The month before one, both as `YYYY-MM`."""
    begins = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    return (begins - timedelta(days=1)).strftime("%Y-%m")


def timeline(changes: Iterable[Change], span: Span) -> list[Interval]:
    """The span as a row of intervals without gaps; before the first change nobody knows."""
    ordered = sorted(changes, key=lambda change: (change.since, change.transition))
    dawn = Change(datetime.min.replace(tzinfo=UTC), -1, Counted.UNKNOWN)
    dusk = Change(datetime.max.replace(tzinfo=UTC), -1, Counted.UNKNOWN)
    found: list[Interval] = []
    for change, after in pairwise((dawn, *ordered, dusk)):
        piece = Span(change.since, after.since).cut(span)
        if piece is not None:
            found.append(Interval(piece, change.state, change.in_maintenance))
    return found


def work_on(host: Host, work: Iterable[Maintenance], intervals: Sequence[Interval]) -> list[Span]:
    """When a host was being worked on, as announced: merged, in order.

    Flexible work begins with the host's first outage inside its window and lasts as long as was said.
    """
    spans: list[Span] = []
    for each in work:
        if not concerns(each, host):
            continue
        window = Span(each.begins_at, each.ends_at)
        if each.duration_s is None:
            spans.append(window)
            continue
        begins = next(_outages_in(intervals, window), None)
        if begins is not None:
            spans.append(Span(begins, begins + timedelta(seconds=each.duration_s)))
    return merged(spans)


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time as spans that neither touch nor overlap, in order."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda span: span.begins):
        if found and span.begins <= found[-1].ends:
            found[-1] = Span(found[-1].begins, max(found[-1].ends, span.ends))
        elif span.seconds:
            found.append(span)
    return found


def tally(intervals: Sequence[Interval], work: Sequence[Span] = ()) -> Availability:
    """The sums of a timeline. `work` is merged.

    A change that says of itself that it was in maintenance counts as such until the next one if no announced work
    covers its begin: what was announced then has been taken out of the books since.
    """
    sums = dict.fromkeys(Counted, 0.0)
    outages = 0
    before = Counted.UNKNOWN
    for interval in intervals:
        covered = sum(common.seconds for span in work if (common := span.cut(interval.span)))
        begun_in_work = any(span.begins <= interval.span.begins < span.ends for span in work)
        if interval.in_maintenance and not begun_in_work:
            covered, begun_in_work = interval.span.seconds, True
        sums[Counted.MAINTENANCE] += covered
        sums[interval.state] += interval.span.seconds - covered
        outages += interval.state is Counted.DOWN and before is not Counted.DOWN and not begun_in_work
        before = interval.state
    return Availability(
        up_s=sums[Counted.UP],
        down_s=sums[Counted.DOWN],
        unreachable_s=sums[Counted.UNREACHABLE],
        unknown_s=sums[Counted.UNKNOWN],
        maintenance_s=sums[Counted.MAINTENANCE],
        outages=outages,
    )


def availability_of(host: Host, changes: Iterable[Change], work: Iterable[Maintenance], span: Span) -> Availability:
    """The sums of one host."""
    intervals = timeline(changes, span)
    return tally(intervals, work_on(host, work, intervals))


def _outages_in(intervals: Sequence[Interval], window: Span) -> Iterator[datetime]:
    for interval in intervals:
        common = window.cut(interval.span)
        if common is not None and interval.state in (Counted.DOWN, Counted.UNREACHABLE):
            yield common.begins
