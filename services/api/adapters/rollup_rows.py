"""Rollups: whole buckets counted anew from the slices and readings whenever something was added to them.

Counting a bucket again gives the same rows again, so it is safe to repeat and to be cut short. A bucket is taken off
the list only if its version is the one that was seen before counting: what a recorder adds meanwhile is counted again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from services.api.core.measurements import GRACE, HOST_LEVELS, READING_LEVELS, Level
from shared.db.faults import translated

# Of a host in one bucket. Averages are weighted by answers; percentiles are of the slices' mean round trips.
HOST_VALUES = """
    sum(sent)::integer as sent, sum(received)::integer as received,
    min(rtt_min_ms) as rtt_min_ms,
    (sum(rtt_avg_ms::float8 * received) / nullif(sum(received) filter (where rtt_avg_ms is not null), 0))::real
        as rtt_avg_ms,
    max(rtt_max_ms) as rtt_max_ms,
    percentile_cont(array[0.5, 0.95, 0.99]) within group (order by rtt_avg_ms) as percentiles,
    (sum(jitter_ms::float8 * received) / nullif(sum(received) filter (where jitter_ms is not null), 0))::real
        as jitter_ms
"""
_HOSTS = """
    insert into {table} (at, host, sent, received, rtt_min_ms, rtt_avg_ms, rtt_max_ms,
                         rtt_p50_ms, rtt_p95_ms, rtt_p99_ms, jitter_ms)
    select $1, host, sent, received, rtt_min_ms, rtt_avg_ms, rtt_max_ms,
           percentiles[1], percentiles[2], percentiles[3], jitter_ms
      from (select host, {values} from host_slices where at > $1 and at <= $2 group by host) as counted
    on conflict (host, at) do update set
        sent = excluded.sent, received = excluded.received, rtt_min_ms = excluded.rtt_min_ms,
        rtt_avg_ms = excluded.rtt_avg_ms, rtt_max_ms = excluded.rtt_max_ms, rtt_p50_ms = excluded.rtt_p50_ms,
        rtt_p95_ms = excluded.rtt_p95_ms, rtt_p99_ms = excluded.rtt_p99_ms, jitter_ms = excluded.jitter_ms
"""
_READINGS = """
    insert into {table} (at, series, readings, value_min, value_avg, value_max, value_p95)
    select $1, series, count(*), min(value), avg(value), max(value),
           percentile_cont(0.95) within group (order by value)
      from readings where at > $1 and at <= $2 group by series
    on conflict (series, at) do update set readings = excluded.readings, value_min = excluded.value_min,
        value_avg = excluded.value_avg, value_max = excluded.value_max, value_p95 = excluded.value_p95
"""
_DUE = "select at, version from rollups_due where rollup = $1 and at <= $2 order by at limit $3"
_SETTLED = "delete from rollups_due where rollup = $1 and at = $2 and version = $3"
_MARK = """
    insert into rollup_watermarks (rollup, done_until) values ($1, $2)
    on conflict (rollup) do update set done_until = greatest(rollup_watermarks.done_until, excluded.done_until)
"""
_AT_ONCE = 200

STATEMENTS: Mapping[str, str] = {
    **{level.table: _HOSTS.format(table=level.table, values=HOST_VALUES) for level in HOST_LEVELS if level.step_s},
    **{level.table: _READINGS.format(table=level.table) for level in READING_LEVELS if level.step_s},
}


@dataclass(frozen=True, slots=True)
class RolledUp:
    """What one pass did. `more`: there is more that could be done at once."""

    buckets: int
    more: bool


async def roll_up(connection: asyncpg.Connection[Any], level: Level, now: datetime) -> RolledUp:
    """Count the buckets of a level that ended and have something new. Raises errors of our tree."""
    step = timedelta(seconds=level.step_s)
    with translated():
        due = await connection.fetch(_DUE, level.table, now - GRACE - step, _AT_ONCE)
        for bucket in due:
            async with connection.transaction():
                await connection.execute("set local work_mem = '64MB'")  # an hour of 10,000 hosts is sorted at once
                await connection.execute(STATEMENTS[level.table], bucket["at"], bucket["at"] + step)
                await connection.execute(_MARK, level.table, bucket["at"] + step)
                await connection.execute(_SETTLED, level.table, bucket["at"], bucket["version"])
    return RolledUp(len(due), len(due) == _AT_ONCE)
