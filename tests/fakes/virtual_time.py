"""An event loop whose time passes only when nothing is left to do: minutes of a story in milliseconds, exactly."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")
EPOCH = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)


class _Jumping(selectors.DefaultSelector):
    """Instead of waiting for `timeout` seconds, lets them have passed."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise RuntimeError("nothing is left that could happen: the story would wait for ever")
        self.now += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    def hold_up(self, seconds: float) -> None:
        """Time passes while the loop does nothing: something kept it busy, or the machine did."""
        self._jumping.now += seconds


class VirtualClock:
    """The clock of the loop that runs. Somebody may set it: `shift`."""

    shift = timedelta(0)

    def now(self) -> datetime:
        return EPOCH + self.shift + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


def run_virtually(story: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in virtual time."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(story)
