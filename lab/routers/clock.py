"""Where the lab's routers take time from: a running clock, or one that tests move by hand."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from typing import Protocol

EPOCH_S = 1_790_000_000.0
"""Where a stepped clock starts: a day in September 2026, so that dates have two-digit days and months
differ."""


class Timer(Protocol):
    """Something that will happen unless cancelled."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """Seconds since 1970, and things to do later. All on the event loop's thread."""

    def now(self) -> float: ...

    def call_at(self, when: float, do: Callable[[], None]) -> Timer: ...

    async def sleep(self, seconds: float) -> None: ...


class RunningClock:
    """Real time, or `speed` times as fast, starting at `start` (seconds since 1970; default: now)."""

    def __init__(self, start: float | None = None, speed: float = 1.0) -> None:
        self.speed = speed
        self._zero = time.monotonic()
        self._start = time.time() if start is None else start

    def now(self) -> float:
        return self._start + (time.monotonic() - self._zero) * self.speed

    def call_at(self, when: float, do: Callable[[], None]) -> Timer:
        delay_s = max(0.0, (when - self.now()) / self.speed)
        return asyncio.get_running_loop().call_later(delay_s, do)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.speed)


class SteppedTimer:
    """A timer of a stepped clock."""

    def __init__(self, do: Callable[[], None]) -> None:
        self.do: Callable[[], None] | None = do

    def cancel(self) -> None:
        self.do = None


class SteppedClock:
    """Stands still until `advance` is called; timers then fire in order, each at its own time."""

    def __init__(self, start: float = EPOCH_S) -> None:
        self._now = start
        self._order = itertools.count()
        self._due: list[tuple[float, int, SteppedTimer]] = []

    def now(self) -> float:
        return self._now

    def call_at(self, when: float, do: Callable[[], None]) -> Timer:
        timer = SteppedTimer(do)
        heapq.heappush(self._due, (when, next(self._order), timer))
        return timer

    async def sleep(self, seconds: float) -> None:
        done = asyncio.Event()
        self.call_at(self._now + seconds, done.set)
        await done.wait()

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass."""
        end = self._now + seconds
        while self._due and self._due[0][0] <= end:
            when, _, timer = heapq.heappop(self._due)
            self._now = max(self._now, when)
            if timer.do is not None:
                timer.do()
        self._now = end
