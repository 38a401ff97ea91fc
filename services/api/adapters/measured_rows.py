"""Reading what was measured: points of charts, sums of a month, changes of state."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from services.api.adapters.rollup_rows import HOST_VALUES
from services.api.adapters.tables import columns_of
from services.api.core.availability import Change, Counted, Span
from services.api.core.charts import Measured, Point, ReadingPoint
from services.api.core.measurements import Wanted
from shared.contracts.inventory import Maintenance
from shared.db import Transaction

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOSTS_AT_ONCE = 500

_NOTE = """
    insert into host_transitions (host_id, since, transition, state, in_maintenance) values ($1, $2, $3, $4, $5)
    on conflict do nothing
"""
_CHANGES = """
    select host_id, since, transition, state, in_maintenance from host_transitions
     where host_id = any($1) and since >= $2 and since < $3
    union all
    select asked.host_id, earlier.* from unnest($1::text[]) as asked (host_id) cross join lateral (
        select since, transition, state, in_maintenance from host_transitions
         where host_id = asked.host_id and since < $2 order by since desc, transition desc limit 1) as earlier
"""
_WORK = """
    select * from maintenances
     where begins_at < $2 and ends_at + make_interval(secs => coalesce(duration_s, 0)) > $1
"""
_QUALITY = """
    select host_id, sum(sent) as sent, sum(received) as received,
           sum(rtt_avg_ms::float8 * received) / nullif(sum(received) filter (where rtt_avg_ms is not null), 0)
               as delay_ms,
           sum(jitter_ms::float8 * received) / nullif(sum(received) filter (where jitter_ms is not null), 0)
               as jitter_ms
      from host_hours join host_numbers on number = host
     where host = any(array(select number from host_numbers where host_id = any($1)))
       and at >= $2 and at < $3 and received > 0
     group by host_id
"""
_WATERMARK = "select done_until from rollup_watermarks where rollup = $1"

# Finished buckets from the rollup, the rest from the slices themselves; then both in steps of the chart.
_CHART = """
    with pieces as (
        select at, sent, received, rtt_min_ms, rtt_avg_ms, rtt_max_ms, rtt_p95_ms, jitter_ms
          from {table} where host = $1 and at >= $2 and at < least($3::timestamptz, $5::timestamptz)
        union all
        select at, sent, received, rtt_min_ms, rtt_avg_ms, rtt_max_ms, percentiles[2], jitter_ms from (
            select date_bin($4, at - interval '1 microsecond', $6) as at, {values} from host_slices
             where host = $1 and at > greatest($2::timestamptz, $5::timestamptz) and at <= $3
             group by 1) as young
    )
    select date_bin($4, at, $6) as at, sum(sent) as sent, sum(received) as received, min(rtt_min_ms) as min_ms,
           sum(rtt_avg_ms::float8 * received) / nullif(sum(received) filter (where rtt_avg_ms is not null), 0)
               as avg_ms,
           max(rtt_max_ms) as max_ms, max(rtt_p95_ms) as p95_ms,
           sum(jitter_ms::float8 * received) / nullif(sum(received) filter (where jitter_ms is not null), 0)
               as jitter_ms
      from pieces group by 1 order by 1
"""
_READINGS = """
    with pieces as (
        select at, readings, value_min, value_avg, value_max, value_p95
          from {table} where series = $1 and at >= $2 and at < least($3::timestamptz, $5::timestamptz)
        union all
        select date_bin($4, at - interval '1 microsecond', $6), count(*), min(value), avg(value), max(value),
               percentile_cont(0.95) within group (order by value)
          from readings where series = $1 and at > greatest($2::timestamptz, $5::timestamptz) and at <= $3
         group by 1
    )
    select date_bin($4, at, $6) as at, min(value_min) as min, sum(value_avg::float8 * readings) / sum(readings) as avg,
           max(value_max) as max, max(value_p95) as p95
      from pieces group by 1 order by 1
"""
_COARSEST = {"host_slices": "host_minutes", "readings": "reading_fives"}  # stands in where only the slices are read


class PostgresMeasured:
    """Measurements inside one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def note_change(self, host_id: str, change: Change) -> None:
        """Keep a change of a host's state."""
        await self._tx.execute(_NOTE, host_id, change.since, change.transition, change.state, change.in_maintenance)

    async def changes(self, hosts: Sequence[str], span: Span) -> dict[str, list[Change]]:
        """Within the span, and the last before it."""
        found: dict[str, list[Change]] = {}
        for row in await self._tx.fetch(_CHANGES, list(hosts), span.begins, span.ends):
            change = Change(row["since"], row["transition"], Counted(row["state"]), row["in_maintenance"])
            found.setdefault(row["host_id"], []).append(change)
        return found

    async def work(self, span: Span) -> list[Maintenance]:
        """Announced work that touches the span."""
        columns = columns_of(Maintenance)
        rows = await self._tx.fetch(_WORK, span.begins, span.ends)
        return [Maintenance.model_validate({column: row[column] for column in columns}) for row in rows]

    async def quality(self, hosts: Sequence[str], span: Span) -> dict[str, Measured]:
        """A few hundred hosts at a time, so that no statement takes long."""
        found: dict[str, Measured] = {}
        for some in _parts(hosts, _HOSTS_AT_ONCE):
            for row in await self._tx.fetch(_QUALITY, some, span.begins, span.ends):
                found[row["host_id"]] = Measured(
                    int(row["sent"]), int(row["received"]), row["delay_ms"], row["jitter_ms"]
                )
        return found

    async def chart(self, host_id: str, wanted: Wanted, span: Span) -> list[Point]:
        """A host's points."""
        number = await self._tx.fetchval("select number from host_numbers where host_id = $1", host_id)
        rows = [] if number is None else await self._points(_CHART, number, wanted, span)
        return [Point(**(dict(row) | {"sent": int(row["sent"]), "received": int(row["received"])})) for row in rows]

    async def readings(self, router_id: str, metric: str, part: str, wanted: Wanted, span: Span) -> list[ReadingPoint]:
        """The points of one series of a router."""
        number = await self._tx.fetchval(
            "select number from reading_series where (router_id, metric, part) = ($1, $2, $3)", router_id, metric, part
        )
        rows = [] if number is None else await self._points(_READINGS, number, wanted, span)
        return [ReadingPoint(**dict(row)) for row in rows]

    async def series(self, router_id: str) -> list[tuple[str, str]]:
        """Metric and part of what there is."""
        rows = await self._tx.fetch(
            "select metric, part from reading_series where router_id = $1 order by 1, 2", router_id
        )
        return [(row["metric"], row["part"]) for row in rows]

    async def _points(self, statement: str, number: int, wanted: Wanted, span: Span) -> list[Any]:
        table = wanted.level.table
        finished = await self._tx.fetchval(_WATERMARK, table) if wanted.level.step_s else None
        sql = statement.format(table=_COARSEST.get(table, table), values=HOST_VALUES)
        step = timedelta(seconds=wanted.step_s)
        return await self._tx.fetch(sql, number, span.begins, span.ends, step, finished or span.begins, _EPOCH)


def _parts(these: Sequence[str], size: int) -> list[list[str]]:
    return [list(these[start : start + size]) for start in range(0, len(these), size)]
