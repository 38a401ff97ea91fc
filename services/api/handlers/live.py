"""Rings when a projection has changed what pages show, so that they can be brought up to date at once."""

from __future__ import annotations

import asyncio


class BoardBell:
    """Everybody who waits is woken by one ring; rings while nobody waits are not lost to those who count."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self.count = 0

    def ring(self) -> None:
        """Something is different now."""
        self.count += 1
        self._rung.set()
        self._rung = asyncio.Event()

    async def wait(self, seen: int, timeout_s: float) -> int:
        """Wait for a ring after the `seen`-th, at most `timeout_s`; the number of rings so far."""
        if self.count == seen:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._rung.wait()
            except TimeoutError:
                pass
        return self.count
