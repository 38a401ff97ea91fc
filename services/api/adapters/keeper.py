"""The keeper of measurements and history: rolls up, makes partitions ahead, lets go of what is too old.

One keeper at a time works, whichever process holds the advisory lock; the others stand by and take over when its
connection ends. Everything it does may be cut short and done again.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import structlog
from prometheus_client import Counter

from services.api.adapters.partitions import Partitions
from services.api.adapters.rollup_rows import roll_up
from services.api.core.measurements import HOST_LEVELS, READING_LEVELS, Kept
from shared.clock import Clock
from shared.db import Database
from shared.db.faults import translated
from shared.errors import RondaError
from shared.telemetry import Metrics

log = structlog.get_logger(__name__)

_LEAD = "select pg_try_advisory_lock(hashtextextended('ronda keeper', 0))"
_LOOK_S = 5.0
_PAUSE_S = 2.0
_TIDY = timedelta(hours=1)
_TRIM_ROWS = 5000  # at once: short locks, and little to repeat

# Each deletes at most $2 rows older than $1. Of transitions the last one before that is kept: it says how a host was.
_TRIM = (
    "delete from events where id in (select id from events where at < $1 order by at limit $2)",
    """
    delete from subscriber_sessions where session_id in (
        select session_id from subscriber_sessions
         where seen_at < $1 and closed_at < $1 order by seen_at limit $2)
    """,
    """
    delete from host_transitions as old where (host_id, since, transition) in (
        select host_id, since, transition from host_transitions as earlier
         where since < $1 and exists (
               select from host_transitions as later
                where later.host_id = earlier.host_id and later.since <= $1
                  and (later.since, later.transition) > (earlier.since, earlier.transition))
         limit $2)
    """,
    """
    delete from rollups_due where (rollup, at) in (
        select rollup, at from rollups_due where at < $1 order by at limit $2)
    """,
)


class Keeper:
    """Runs beside the recorder."""

    def __init__(
        self,
        database: Database,
        partitions: Partitions,
        *,
        kept: Kept,
        clock: Clock,
        metrics: Metrics,
        look_s: float = _LOOK_S,
    ) -> None:
        self._database = database
        self._partitions = partitions
        self._kept = kept
        self._clock = clock
        self._look_s = look_s
        self._tidied: datetime | None = None
        self._buckets = _buckets_counter(metrics)

    async def run(self) -> None:
        """Until cancelled: lead if nobody else does, and keep."""
        while True:
            try:
                async with self._database.own_connection() as connection:
                    await self._lead(connection)
            except RondaError as trouble:
                log.warning("keeper waits", reason=str(trouble))
            await asyncio.sleep(min(_PAUSE_S, self._look_s))

    async def keep(self, connection: asyncpg.Connection[Any], now: datetime) -> int:
        """One pass: everything that is due now. Answers how many buckets were counted."""
        await self._partitions.ensure(now)
        counted = 0
        for level in (*HOST_LEVELS, *READING_LEVELS):
            more = bool(level.step_s)
            while more:
                done = await roll_up(connection, level, now)
                counted, more = counted + done.buckets, done.more
        self._buckets.inc(counted)
        if self._tidied is None or now >= self._tidied + _TIDY:
            await self._partitions.drop_old(now)
            await self.trim(connection, now)
            self._tidied = now
        return counted

    async def trim(self, connection: asyncpg.Connection[Any], now: datetime) -> int:
        """Let go of history that is too old; answers how many rows went."""
        gone = 0
        before = now - timedelta(days=self._kept.history_days)
        for statement in _TRIM:
            rows = _TRIM_ROWS
            while rows == _TRIM_ROWS:
                with translated():
                    rows = int((await connection.execute(statement, before, _TRIM_ROWS)).rpartition(" ")[2])
                gone += rows
        if gone:
            log.info("history trimmed", rows=gone, before=before.isoformat())
        return gone

    async def _lead(self, connection: asyncpg.Connection[Any]) -> None:
        while True:
            with translated():
                leading = await connection.fetchval(_LEAD)
            if leading:
                break
            await asyncio.sleep(self._look_s)
        with translated():
            # Counting is nobody's hurry: it stays on one core.
            await connection.execute("set max_parallel_workers_per_gather = 0")
        while True:
            await self.keep(connection, self._clock.now())
            await asyncio.sleep(self._look_s)


def _buckets_counter(metrics: Metrics) -> Counter:
    return metrics.counter("recorder_buckets_total", "Rollup buckets counted, again or for the first time.")
