"""When to ask: work spread evenly over the interval, without drift, and a wheel that finds what is due cheaply."""

from __future__ import annotations

import heapq
import math
import zlib
from typing import Generic, TypeVar

T = TypeVar("T")

SLOT_S = 0.01


def offset(name: str, interval_s: float) -> float:
    """Where in its interval a target is asked: the same after every restart, even over many targets."""
    return zlib.crc32(name.encode()) / 2**32 * interval_s


def slot_of(begin: float) -> int:
    """The first slot of a wheel that is not before this moment."""
    return math.ceil(begin / SLOT_S)


def next_round(name: str, interval_s: float, now: float) -> float:
    """The first regular moment of a target after `now`."""
    return next_after(offset(name, interval_s), interval_s, now)


def next_after(begin: float, interval_s: float, now: float) -> float:
    """The first moment after `now` of a row that begins at `begin`. What was missed is never made up for in a rush."""
    rounds = math.floor((now - begin) / interval_s) + 1
    at = begin + rounds * interval_s
    return at if at > now else at + interval_s


class Round(Generic[T]):
    """Members that come up together, in the same slot of every interval: going on costs the same however many."""

    __slots__ = ("_begin", "_interval_s", "members")

    def __init__(self, slot: int, interval_s: float) -> None:
        self._begin = (slot - 0.5) * SLOT_S  # amidst, so that no rounding leads into the next slot
        self._interval_s = interval_s
        self.members: list[T] = []

    def next_at(self, now: float) -> float:
        """The first moment after `now`."""
        return next_after(self._begin, self._interval_s, now)


class TimeWheel(Generic[T]):
    """Items by the time slot in which they are due. Adding and taking cost the same however many wait."""

    def __init__(self, slot_s: float = SLOT_S) -> None:
        self._slot_s = slot_s
        self._slots: dict[int, list[T]] = {}
        self._order: list[int] = []

    def add(self, at: float, item: T) -> None:
        """Let `item` come up in the first slot that is not before `at`."""
        number = math.ceil(at / self._slot_s)
        waiting = self._slots.get(number)
        if waiting is None:
            self._slots[number] = [item]
            heapq.heappush(self._order, number)
        else:
            waiting.append(item)

    def due(self, now: float) -> list[T]:
        """Take all items whose slot has begun, oldest slot first."""
        taken: list[T] = []
        while self._order and self._order[0] * self._slot_s <= now:
            taken += self._slots.pop(heapq.heappop(self._order))
        return taken

    def next_at(self) -> float | None:
        """When the next slot with items begins; None if nothing waits."""
        return self._order[0] * self._slot_s if self._order else None
