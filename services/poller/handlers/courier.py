"""Carry what waits under keys: one thing of a key at a time, in order, and many keys side by side.

Without a barrier: an answer of the bus that takes long holds up its own key and nothing else, so that a bus which takes
100 ms for an answer still takes thousands of facts a second.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from enum import Enum

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 2.0


class Outcome(Enum):
    """What became of the first thing of a key."""

    EMPTY = "carried, and nothing else waits under the key"
    MORE = "carried, and more waits under the key"
    AGAIN = "it has to be tried again, later"


class Courier:
    """`carry` takes the first thing of a key. After a failure everything rests for a growing pause."""

    def __init__(self, carry: Callable[[str], Awaitable[Outcome]], *, at_once: int) -> None:
        self._carry = carry
        self._at_once = at_once
        self._ready: OrderedDict[str, None] = OrderedDict()
        self._busy: dict[str, asyncio.Task[Outcome]] = {}
        self._running: asyncio.Future[None] | None = None
        self._rest: asyncio.TimerHandle | None = None
        self._pause_s = _FIRST_PAUSE_S

    def more(self, key: str) -> None:
        """Something waits under this key."""
        if key not in self._busy:
            self._ready[key] = None
            self._go()

    async def run(self) -> None:
        """Carry until cancelled. Raises what `carry` raises."""
        self._running = asyncio.get_running_loop().create_future()
        self._go()
        try:
            await self._running
        finally:
            self._running = None
            if self._rest is not None:
                self._rest.cancel()
                self._rest = None
            tasks = list(self._busy.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _go(self) -> None:
        if self._running is None or self._rest is not None:
            return
        while self._ready and len(self._busy) < self._at_once:
            key, _ = self._ready.popitem(last=False)
            task = asyncio.ensure_future(self._carry(key))
            self._busy[key] = task
            task.add_done_callback(lambda done, key=key: self._came_back(key, done))  # type: ignore[misc]

    def _came_back(self, key: str, task: asyncio.Task[Outcome]) -> None:
        del self._busy[key]
        if task.cancelled() or task.exception() is not None:
            self._ready[key] = None
            if self._running is not None and not self._running.done() and not task.cancelled():
                self._running.set_exception(task.exception() or RuntimeError("no reason"))
            return
        outcome = task.result()
        if outcome is Outcome.AGAIN:
            self._ready[key] = None
            self._ready.move_to_end(key, last=False)
            self._take_a_rest()
            return
        self._pause_s = _FIRST_PAUSE_S
        if outcome is Outcome.MORE:
            self._ready[key] = None
        self._go()

    def _take_a_rest(self) -> None:
        if self._rest is None and self._running is not None:
            self._rest = asyncio.get_running_loop().call_later(self._pause_s, self._rested)
            self._pause_s = min(_LONGEST_PAUSE_S, self._pause_s * 2)

    def _rested(self) -> None:
        self._rest = None
        self._go()
