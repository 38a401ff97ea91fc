"""Partitions of measurements: made ahead of time, dropped whole when nobody needs them any more."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from services.api.core.measurements import (
    AHEAD,
    HOST_LEVELS,
    LATE,
    READING_LEVELS,
    Kept,
    Level,
    partition_end,
    partitions_between,
)
from shared.db import Database

log = structlog.get_logger(__name__)

LEVELS = (*HOST_LEVELS, *READING_LEVELS)
_TURN = "select pg_advisory_xact_lock(hashtextextended('ronda partitions', 0))"
_THERE = """
    select child.relname as name from pg_inherits
      join pg_class as child on child.oid = inhrelid
      join pg_class as parent on parent.oid = inhparent
      join pg_namespace as space on space.oid = parent.relnamespace
     where parent.relname = $1 and space.nspname = current_schema()
"""


class Partitions:
    """Makes and drops. Any process may make, since it needs them to write; one of them drops."""

    def __init__(self, database: Database, kept: Kept) -> None:
        self._database = database
        self._kept = kept
        self._made_until: datetime | None = None

    async def ensure(self, now: datetime) -> None:
        """Make what samples that may come now, or in the next days, would need."""
        if self._made_until is not None and now < self._made_until - AHEAD + timedelta(days=1):
            return
        async with self._database.transaction() as tx:
            await tx.execute(_TURN)
            for level in LEVELS:
                there = {row["name"] for row in await tx.fetch(_THERE, level.table)}
                for piece in partitions_between(level, now - LATE - timedelta(hours=1), now + AHEAD):
                    if piece.name not in there:
                        begins, ends = piece.begins.isoformat(), piece.ends.isoformat()
                        await tx.execute(
                            f"create table {piece.name} partition of {level.table}"
                            f" for values from ('{begins}') to ('{ends}')"
                        )
        self._made_until = now + AHEAD

    async def drop_old(self, now: datetime) -> list[str]:
        """Drop what ended longer ago than its level is kept; answers the names."""
        dropped: list[str] = []
        for level in LEVELS:
            for row in await self._database.fetch(_THERE, level.table):
                if self._is_over(level, row["name"], now):
                    await self._database.execute(f"drop table {row['name']}")
                    dropped.append(row["name"])
        if dropped:
            log.info("measurements dropped", partitions=dropped)
        return dropped

    def _is_over(self, level: Level, name: str, now: datetime) -> bool:
        ends = partition_end(level, name)
        return ends is not None and ends < now - max(self._kept.of(level), LATE + timedelta(hours=1))
