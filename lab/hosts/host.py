"""One host of the lab, whatever it is made of."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol


class HostError(Exception):
    """A host could not be made or changed; the sentence says why."""


class Ground(Protocol):
    """What a host stands on."""

    async def open(self, host: Host) -> None:
        """Make it answer."""

    async def shut(self, host: Host) -> None:
        """Make it silent."""

    async def degrade(self, host: Host, loss: float, delay_ms: float) -> bool:
        """Make it lossy and slow; False where this cannot be done."""


class Host:
    """Something that answers probes. `kind` is icmp or tcp; `port` is 0 for icmp."""

    def __init__(self, name: str, address: str, kind: str, ground: Ground, port: int = 0) -> None:
        self.name = name
        self.address = address
        self.kind = kind
        self.port = port
        self.watchers: list[Callable[[Host], None]] = []
        """Called after each change of state."""
        self._state = "cut"
        self.loss = 0.0
        self.delay_ms = 0.0
        self._ground = ground
        self._flapping: asyncio.Task[None] | None = None

    @property
    def state(self) -> str:
        """up, cut or degraded."""
        return self._state

    @state.setter
    def state(self, value: str) -> None:
        self._state = value
        for watcher in self.watchers:
            watcher(self)

    async def cut(self) -> None:
        """No answer any more."""
        await self._stop_flapping()
        await self._silence()

    async def restore(self) -> None:
        """Answers again, at full speed."""
        await self._stop_flapping()
        await self._answer()

    async def degrade(self, *, loss: float = 0.2, delay_ms: float = 200.0) -> bool:
        """Lose this part of the probes (0 to 1) and answer the rest late; False where that cannot be done."""
        await self._stop_flapping()
        await self._answer()
        if not await self._ground.degrade(self, loss, delay_ms):
            return False
        self.loss, self.delay_ms = loss, delay_ms
        self.state = "degraded"
        return True

    async def flap(self, times: int = 6, seconds: float = 5.0) -> None:
        """Go down and up `times` times, `seconds` in each state; returns at once."""
        await self._stop_flapping()
        self._flapping = asyncio.create_task(self._flap(times, seconds))

    async def close(self) -> None:
        """End what runs for this host."""
        await self._stop_flapping()

    async def _flap(self, times: int, seconds: float) -> None:
        for _ in range(times):
            await self._silence()
            await asyncio.sleep(seconds)
            await self._answer()
            await asyncio.sleep(seconds)

    async def _stop_flapping(self) -> None:
        task, self._flapping = self._flapping, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _silence(self) -> None:
        if self.state != "cut":
            await self._ground.shut(self)
            self.state = "cut"

    async def _answer(self) -> None:
        if self.state != "up":
            if self.state == "degraded":
                await self._ground.shut(self)
            await self._ground.open(self)
            self.loss, self.delay_ms = 0.0, 0.0
            self.state = "up"
