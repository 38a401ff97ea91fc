"""How long a host's round trip usually takes: the median of its last seven days, in a few numbers.

Each day's median of window means is approximated by the P² algorithm (Jain and Chlamtac, Communications of the ACM 28,
1985: five markers that move along a parabola); the usual delay is the median of up to seven such days. On days of 48 to
864 windows it stayed within 6 % of the exact median of the week in 99 of 100 cases (`test_usual_delay.py` measures it):
plenty, where the question is whether a delay has tripled.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from statistics import median

DAYS = 7
ENOUGH = 10  # windows, before a day's median is believed
DAY_S = 86_400.0


class RunningMedian:
    """The median of a stream in ten numbers."""

    __slots__ = ("_heights", "_places", "count")

    def __init__(self) -> None:
        self._heights = array("d")
        self._places = array("d", range(5))
        self.count = 0

    def add(self, value: float) -> None:
        """Take one more value into account."""
        self.count += 1
        heights = self._heights
        if len(heights) < 5:
            heights.append(value)
            heights[:] = array("d", sorted(heights))
            return
        cell = self._cell(value)
        for place in range(cell + 1, 5):
            self._places[place] += 1
        last = self.count - 1
        for marker, share in ((1, 0.25), (2, 0.5), (3, 0.75)):
            self._adjust(marker, share * last)

    @property
    def value(self) -> float | None:
        """The median so far."""
        if not self._heights:
            return None
        return self._heights[2] if len(self._heights) == 5 else median(self._heights)

    def _cell(self, value: float) -> int:
        """Between which markers the value lies; the outer ones follow the extremes."""
        heights = self._heights
        heights[0], heights[4] = min(heights[0], value), max(heights[4], value)
        return max(0, sum(value >= height for height in heights[:4]) - 1)

    def _adjust(self, marker: int, wanted: float) -> None:
        """Move an inner marker by one place towards where it belongs."""
        places, heights = self._places, self._heights
        off = wanted - places[marker]
        if off >= 1 and places[marker + 1] - places[marker] > 1:
            step = 1
        elif off <= -1 and places[marker - 1] - places[marker] < -1:
            step = -1
        else:
            return
        height = self._parabola(marker, step)
        if not heights[marker - 1] < height < heights[marker + 1]:
            beside = marker + step
            slope = (heights[beside] - heights[marker]) / (places[beside] - places[marker])
            height = heights[marker] + step * slope
        heights[marker] = height
        places[marker] += step

    def _parabola(self, marker: int, step: int) -> float:
        before, here, after = self._places[marker - 1 : marker + 2]
        low, height, high = self._heights[marker - 1 : marker + 2]
        rising = (here - before + step) * (high - height) / (after - here)
        falling = (after - here - step) * (height - low) / (here - before)
        return height + step / (after - before) * (rising + falling)


class UsualDelay:
    """A host's usual delay in milliseconds. Days are counted from any moment, the same one always."""

    __slots__ = ("_day", "_today", "days")

    def __init__(self, days: Sequence[float] = ()) -> None:
        self.days = array("d", days[-DAYS:])  # medians of the days that are over, oldest first
        self._today = RunningMedian()
        self._day = -1

    def add(self, delay_ms: float, at: float) -> bool:
        """Take a window's mean into account; True if a restart would now forget something worth keeping."""
        over = self._turn_to(int(at // DAY_S))
        self._today.add(delay_ms)
        return over or (not self.days and self._today.count == ENOUGH)

    @property
    def ms(self) -> float | None:
        """The median; None while too little is known of the host."""
        known = self.remembered()
        return median(known) if known else None

    def remembered(self) -> tuple[float, ...]:
        """The days that survive a restart, today's share last."""
        today = self._today.value if self._today.count >= ENOUGH else None
        return (*self.days, *(() if today is None else (today,)))[-DAYS:]

    def _turn_to(self, day: int) -> bool:
        if day == self._day:
            return False
        kept = self._today.count >= ENOUGH
        if kept:
            self.days = array("d", self.remembered())
        self._today, self._day = RunningMedian(), day
        return kept
