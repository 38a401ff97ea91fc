"""Say samples, and count those that nobody could hear: a gap in a chart must not need a guess."""

from __future__ import annotations

from shared.bus.ports import Bus
from shared.contracts.message import Message


class SampleVoice:
    """Says samples while the bus is there. Nothing waits: what is old by then would only delay what is new."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.said_total = 0
        self.dropped_total = 0

    async def say(self, sample: Message) -> None:
        """Say it, or drop it."""
        if not self._bus.connected:
            self.dropped_total += 1
            return
        await self._bus.publish_sample(sample)
        self.said_total += 1
