"""A durable consumer in memory: what was handed out, how often, and when it is handed out again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from shared.bus.delivery import StoredMessage
from shared.bus.memory.stream import MemoryStream
from shared.bus.ports import ConsumerSpec
from shared.bus.subjects import matches_any
from shared.bus.workbench import Workbench
from shared.clock import Clock
from shared.contracts.streams import Retention


@dataclass(slots=True)
class _Pending:
    delivered: int
    due: float


class MemoryConsumer:
    """The server's side of a consumer; several processes' workbenches may draw from it."""

    def __init__(self, spec: ConsumerSpec, stream: MemoryStream, clock: Clock) -> None:
        self._spec = spec
        self._stream = stream
        self._clock = clock
        self._place = 0
        self._pending: dict[int, _Pending] = {}

    async def feed(self, bench: Workbench) -> None:
        """Put deliveries on a bench for ever."""
        while True:
            for delivery in self._take(bench.room):
                bench.put(delivery)
            await self._stream.change()
            await asyncio.sleep(0)

    def answer(self, sequence: int, *, again_at: float | None) -> None:
        """Take an answer: done, or again at a time by the clock."""
        pending = self._pending.get(sequence)
        if pending is None:
            return
        if again_at is not None:
            pending.due = again_at
            self._stream.stir()
            return
        del self._pending[sequence]
        if self._spec.stream.retention is Retention.WORK_QUEUE:
            self._stream.remove(sequence)

    def _take(self, room: int) -> list[MemoryDelivery]:
        taken = [*self._again(), *self._new()][: max(room, 0)]
        for stored in taken:
            pending = self._pending.setdefault(stored.sequence, _Pending(0, 0.0))
            pending.delivered += 1
            pending.due = self._clock.monotonic() + self._spec.ack_wait_s
            self._place = max(self._place, stored.sequence)
        return [
            MemoryDelivery(self, self._clock, self._spec.ack_wait_s, stored, self._pending[stored.sequence].delivered)
            for stored in taken
        ]

    def _again(self) -> list[StoredMessage]:
        now = self._clock.monotonic()
        found = []
        for sequence in sorted(number for number, pending in self._pending.items() if pending.due <= now):
            stored = self._stream.get(sequence)
            if stored is None:
                del self._pending[sequence]  # replaced or run out
            else:
                found.append(stored)
        return found

    def _new(self) -> list[StoredMessage]:
        return [
            stored for stored in self._stream.after(self._place, ()) if matches_any(self._spec.filters, stored.subject)
        ]


@dataclass(frozen=True, slots=True)
class MemoryDelivery:
    """What `shared.bus.delivery.Delivery` promises."""

    consumer: MemoryConsumer
    clock: Clock
    ack_wait_s: float
    message: StoredMessage
    delivered: int

    async def ack(self) -> None:
        self.consumer.answer(self.message.sequence, again_at=None)

    async def nak(self, delay_s: float) -> None:
        self.consumer.answer(self.message.sequence, again_at=self.clock.monotonic() + delay_s)

    async def in_progress(self) -> None:
        self.consumer.answer(self.message.sequence, again_at=self.clock.monotonic() + self.ack_wait_s)
