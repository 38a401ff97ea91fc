"""The same thing again and again is one fact: failed log-ins in a row, a foreign DHCP server that goes on answering.

A series begins when enough has happened within a window and passes when it has been quiet for long enough. Time comes
in as an argument.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from datetime import datetime, timedelta

_MOST_KEYS = 1000  # an attack from everywhere must not fill our memory: the oldest suspicions are dropped


@dataclass(frozen=True, slots=True)
class Bounds:
    """`enough` happenings within `window` are a series; it has passed after `quiet` without one."""

    enough: int
    window: timedelta
    quiet: timedelta


FAILED_LOGINS = Bounds(enough=5, window=timedelta(minutes=1), quiet=timedelta(minutes=10))
FOREIGN_DHCP = Bounds(enough=1, window=timedelta(minutes=1), quiet=timedelta(minutes=10))


@dataclass(frozen=True, slots=True)
class Begun:
    """A series is one now. `count` happenings since `since`."""

    key: str
    since: datetime
    count: int


@dataclass(frozen=True, slots=True)
class Passed:
    """It has been quiet for long enough."""

    key: str
    since: datetime


class SeriesBook:
    """The series of one kind on one router, by key (a source, a user, a server)."""

    def __init__(self, bounds: Bounds, known: dict[str, datetime] | None = None, now: datetime | None = None) -> None:
        """`known`: series that were told before a restart and since when; they pass like any other."""
        self._bounds = bounds
        self._recent: OrderedDict[str, deque[datetime]] = OrderedDict()
        self._open: dict[str, datetime] = dict(known or {})
        self._last: dict[str, datetime] = dict.fromkeys(self._open, now) if now else {}

    def happened(self, key: str, now: datetime) -> Begun | None:
        """It happened; a series that begins with it is answered once."""
        if key in self._open:
            self._last[key] = now
            return None
        times = self._recent.setdefault(key, deque())
        self._recent.move_to_end(key)
        times.append(now)
        while now - times[0] > self._bounds.window:
            times.popleft()
        if len(self._recent) > _MOST_KEYS:
            self._recent.popitem(last=False)
        if len(times) < self._bounds.enough:
            return None
        since, count = times[0], len(times)
        del self._recent[key]
        self._open[key], self._last[key] = since, now
        return Begun(key, since, count)

    def passed(self, now: datetime) -> list[Passed]:
        """The series that have become quiet since the last call."""
        over = [key for key in self._open if now - self._last.get(key, now) >= self._bounds.quiet]
        for key in self._open:
            self._last.setdefault(key, now)
        return [Passed(key, self._close(key)) for key in over]

    def _close(self, key: str) -> datetime:
        self._last.pop(key, None)
        return self._open.pop(key)
