"""From samples on the bus to rows: gathered for a moment, written together, kept within bounds while the database is
away."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog

from services.api.core.backlog import Backlog
from services.api.ports import SampleStore
from shared.bus.ports import Bus
from shared.clock import Clock
from shared.contracts.message import Message
from shared.contracts.samples import HostSlices, RouterReadings
from shared.errors import RondaError
from shared.telemetry import Metrics

log = structlog.get_logger(__name__)

QUEUE: Final = "api-recorder"
TYPES: Final[Sequence[type[Message]]] = (HostSlices, RouterReadings)
BATCH_ROWS: Final = 50_000
_GATHER_S: Final = 1.0
_FIRST_DELAY_S: Final = 0.5
_LONGEST_DELAY_S: Final = 10.0


class Recorder:
    """Two loops: `listen` fills the backlog, `write` empties it."""

    def __init__(
        self, backlog: Backlog, store: SampleStore, *, clock: Clock, metrics: Metrics, gather_s: float = _GATHER_S
    ) -> None:
        self._backlog = backlog
        self._store = store
        self._clock = clock
        self._gather_s = gather_s
        self._something = asyncio.Event()
        self._written = metrics.counter("recorder_rows_total", "Rows of samples written to the database.")
        self._refused = metrics.counter("recorder_refused_rows_total", "Rows that the database refused for good.")
        metrics.watch("recorder_waiting_rows", "Rows of samples that wait to be written.", lambda: backlog.rows)
        metrics.watch(
            "recorder_dropped_rows", "Rows given up since the start: the database was away.", lambda: backlog.dropped
        )
        metrics.watch(
            "recorder_off_time_rows", "Rows left out since the start: too late, or ahead.", lambda: backlog.off_time
        )

    async def listen(self, bus: Bus) -> None:
        """Hear samples until cancelled; processes of one api share them."""
        await bus.hear(TYPES, self.take, queue=QUEUE)

    async def take(self, sample: Message) -> None:
        """Take one sample in."""
        if isinstance(sample, HostSlices):
            self._backlog.take_slices(sample, self._clock.now())
        elif isinstance(sample, RouterReadings):
            self._backlog.take_readings(sample, self._clock.now())
        if self._backlog.rows:
            self._something.set()

    async def write(self) -> None:
        """Write what is there until cancelled; what is there at the end is written before it ends."""
        delay_s = _FIRST_DELAY_S
        try:
            while True:
                await self._something.wait()
                try:
                    await self.write_all()
                    delay_s = _FIRST_DELAY_S
                except RondaError as trouble:
                    log.warning("samples wait", rows=self._backlog.rows, reason=str(trouble))
                    await asyncio.sleep(delay_s)
                    delay_s = min(2 * delay_s, _LONGEST_DELAY_S)
                await asyncio.sleep(self._gather_s if self._backlog.rows < BATCH_ROWS else 0)
        finally:
            await self._last_words()

    async def write_all(self) -> None:
        """Write everything that waits, batch by batch. Raises what may go better later."""
        while self._backlog.rows:
            batch = self._backlog.batch(BATCH_ROWS)
            try:
                await self._store.write(batch, self._clock.now())
                self._written.inc(sum(block.rows for block in batch))
            except RondaError as trouble:
                if trouble.retryable:
                    raise
                self._refused.inc(sum(block.rows for block in batch))
                log.error(  # noqa: TRY400 - the sentence says it all
                    "samples refused", rows=sum(block.rows for block in batch), reason=str(trouble)
                )
            self._backlog.done(batch)
        self._something.clear()

    async def _last_words(self) -> None:
        """A stop costs no sample if the database is there."""
        try:
            async with asyncio.timeout(2.0):
                await self.write_all()
        except (RondaError, TimeoutError) as trouble:
            log.warning("samples lost at the end", rows=self._backlog.rows, reason=str(trouble))
