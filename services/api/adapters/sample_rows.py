"""Measurements on their way into PostgreSQL: COPY, and a note of which buckets have something new."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime

from services.api.adapters.copy_format import READING_COLUMNS, SLICE_COLUMNS, reading_rows, slice_rows
from services.api.adapters.partitions import Partitions
from services.api.core.backlog import Backlog, Block, Names, ReadingBlock
from services.api.core.measurements import HOST_LEVELS, READING_LEVELS, Level, bucket_of
from shared.db import Database, Transaction

# In the order of keys, so that two writers cannot wait for each other. The version is this transaction's own number:
# no two writes ever give a bucket the same one.
_DUE = """
    insert into rollups_due (rollup, at, version)
    select rollup, at, pg_current_xact_id()::text::bigint
      from unnest($1::text[], $2::timestamptz[]) as due (rollup, at)
     order by rollup, at
    on conflict (rollup, at) do update set version = excluded.version
"""
_NEW_HOSTS = "insert into host_numbers (host_id) select unnest($1::text[]) on conflict do nothing"
_HOSTS = "select host_id, number from host_numbers where host_id = any($1)"
_NEW_SERIES = """
    insert into reading_series (router_id, metric, part) select * from unnest($1::text[], $2::text[], $3::text[])
    on conflict do nothing
"""
_SERIES = """
    select router_id, metric, part, number from reading_series
     where (router_id, metric, part) in (select * from unnest($1::text[], $2::text[], $3::text[]))
"""


class SampleRows:
    """Writes blocks. The numbers of hosts and series are looked up once per process."""

    def __init__(self, database: Database, partitions: Partitions, backlog: Backlog) -> None:
        self._database = database
        self._partitions = partitions
        self._hosts, self._series = backlog.hosts, backlog.series
        self._host_numbers: list[int] = []
        self._series_numbers: list[int] = []

    async def write(self, blocks: Sequence[Block | ReadingBlock], now: datetime) -> None:
        """All of these blocks or none. Raises what the database raises."""
        await self._partitions.ensure(now)
        slices = [block for block in blocks if isinstance(block, Block)]
        readings = [block for block in blocks if isinstance(block, ReadingBlock)]
        await self._number_hosts()
        await self._number_series()
        async with self._database.transaction() as tx:
            if slices:
                rows = slice_rows(slices, self._host_numbers)
                await tx.copy_binary("host_slices", _pieces(rows), SLICE_COLUMNS)
            if readings:
                rows = reading_rows(readings, self._series_numbers)
                await tx.copy_binary("readings", _pieces(rows), READING_COLUMNS)
            await _note_due(tx, slices, HOST_LEVELS)
            await _note_due(tx, readings, READING_LEVELS)

    async def _number_hosts(self) -> None:
        new = [name[0] for name in self._hosts.known[len(self._host_numbers) :]]
        if new:
            await self._database.execute(_NEW_HOSTS, new)
            found = {row["host_id"]: row["number"] for row in await self._database.fetch(_HOSTS, new)}
            self._host_numbers += [found[host_id] for host_id in new]

    async def _number_series(self) -> None:
        new = _new(self._series, self._series_numbers)
        if new:
            columns = [[name[place] for name in new] for place in range(3)]
            await self._database.execute(_NEW_SERIES, *columns)
            rows = await self._database.fetch(_SERIES, *columns)
            found = {(row["router_id"], row["metric"], row["part"]): row["number"] for row in rows}
            self._series_numbers += [found[name] for name in new]


def _new(names: Names, numbers: list[int]) -> list[tuple[str, str, str]]:
    return [(name[0], name[1], name[2]) for name in names.known[len(numbers) :]]


async def _note_due(tx: Transaction, blocks: Iterable[Block | ReadingBlock], levels: Sequence[Level]) -> None:
    moments = {block.at for block in blocks}
    due = {(level.table, bucket_of(at, level.step_s)) for at in moments for level in levels if level.step_s}
    if due:
        await tx.execute(_DUE, [table for table, _ in due], [at for _, at in due])


async def _pieces(rows: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in rows:
        yield piece
