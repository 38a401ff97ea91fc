"""An asker that remembers what it was told."""

from __future__ import annotations

import asyncio

from shared.contracts.vocabulary import ProbeFailure


class RecordingAsker:
    def __init__(self) -> None:
        self.answers: list[tuple[int, float]] = []
        self.losses: list[tuple[int, float, ProbeFailure]] = []
        self.blinds: list[tuple[int, str]] = []
        self._told = asyncio.Event()

    @property
    def count(self) -> int:
        return len(self.answers) + len(self.losses) + len(self.blinds)

    def answer(self, number: int, rtt_ms: float) -> None:
        self.answers.append((number, rtt_ms))
        self._told.set()

    def loss(self, number: int, age_s: float, failure: ProbeFailure) -> None:
        self.losses.append((number, age_s, failure))
        self._told.set()

    def blind(self, number: int, reason: str) -> None:
        self.blinds.append((number, reason))
        self._told.set()

    async def until(self, count: int, deadline_s: float = 5.0) -> None:
        """Return once `count` things were told."""
        async with asyncio.timeout(deadline_s):
            while self.count < count:
                self._told.clear()
                await self._told.wait()
