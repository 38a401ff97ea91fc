"""Samples into PostgreSQL, and a day of one host out of it again, with 10,000 hosts in the books.

Bus and database are those that `make run` starts, with their own small settings (16 MB of shared buffers, fsync on),
empty at the beginning. Slices of 10,000 hosts, ten seconds of the network's life each, are said on the bus as fast as
the recorder takes them; it listens, decodes, and writes, in the same process as the speaker and on the same two cores.
A sample is one host's row of one slice; the rate is what the table holds at the end, by the clock from the first word
to the last commit. Then everything is rolled up. For the chart the five-minute level is filled up to 24 hours in the
order in which rollups write it, and the last 24 hours of hosts chosen by chance are read and rendered as REST answers
them; first with 1,000 hosts in the books, then with ten times as many.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bench.figures import Figure, amount, of_samples, percentile, this_machine
from bench.stage import Stage
from deploy.local.nats_server import NatsServer
from deploy.local.postgres import LocalPostgres
from services.api.adapters.keeper import Keeper
from services.api.adapters.opening import MIGRATIONS
from services.api.adapters.partitions import Partitions
from services.api.adapters.sample_rows import SampleRows
from services.api.adapters.store import PostgresUnit
from services.api.core.availability import Span
from services.api.core.backlog import Backlog
from services.api.core.measurements import FIVES, HOST_LEVELS, Kept, wanted
from services.api.handlers.measured import Chart
from services.api.handlers.recorder import Recorder
from services.api.routes.schemas.measured import ChartView
from shared.bus.nats import NatsBus
from shared.clock import SystemClock
from shared.contracts.samples import HostSlices
from shared.db import Database, migrate
from shared.telemetry import Metrics

HOSTS = 10_000
SLICES = 300
SLICE_S = 10
CHARTS = 200
BAR_RATE, BAR_CHART_MS = 50_000.0, 50.0
_MOST_WAITING = 300_000
_UNHEARD = 50_000
_KEPT = Kept(raw_days=2, minutes_days=14, fives_days=90, hours_days=730, history_days=1095)
_FILL = """
    insert into host_fives
    select at, number, 300, 299, 1 + random(), 3 + random(), 9 + random(), 3 + random(), 6 + random(), 8 + random(),
           random()
      from generate_series($1::timestamptz, $2::timestamptz, interval '5 minutes') as at, host_numbers
     where number <= $3 order by at, number
    on conflict do nothing
"""


@dataclass(frozen=True, slots=True)
class Books:
    """An empty product's bus and database, with the parts of the api that are measured."""

    database: Database
    bus: NatsBus
    backlog: Backlog
    recorder: Recorder
    keeper: Keeper


async def measure(stage: Stage) -> list[Figure]:
    """Rate first, then charts."""
    await stage.clear()
    async with _opened() as books:
        ends = SystemClock().now().replace(second=0, microsecond=0) - timedelta(minutes=1)
        rate = await _rate(books, ends)
        charts = await _charts(books, ends)
    return [rate, charts]


async def _rate(books: Books, ends: datetime) -> Figure:
    sample = _sample(ends)
    began = time.monotonic()
    async with asyncio.TaskGroup() as loops:
        listening = loops.create_task(books.recorder.listen(books.bus))
        writing = loops.create_task(books.recorder.write())
        await asyncio.sleep(0.5)  # a sample that is said before somebody listens is lost
        began = time.monotonic()
        for number in range(SLICES):
            at = ends - timedelta(seconds=SLICE_S * (SLICES - 1 - number))
            await books.bus.publish_sample(sample.model_copy(update={"at": at}))
            # What nobody has decoded yet waits in the client, and beyond its bound is lost: speak as fast as is heard.
            while _ahead(books, number + 1):  # noqa: ASYNC110 - the recorder sets no event for us
                await asyncio.sleep(0.002)
        rows = await _all_written(books)
        took_s = time.monotonic() - began
        listening.cancel()
        writing.cancel()
    began = time.monotonic()
    async with books.database.own_connection() as connection:
        buckets = await books.keeper.keep(connection, ends + timedelta(hours=1))
    rolled_s = time.monotonic() - began
    disk = await _bytes_per_row(books.database)
    besides = (
        f"{rows:,} rows in {amount(took_s, 's')}; then {buckets} buckets rolled up in {amount(rolled_s, 's')}; "
        f"bytes a row with its indexes: {disk}"
    )
    what = "samples on the bus → rows in the embedded PostgreSQL, 10,000 hosts"
    return Figure(
        "recorder_rate", what, BAR_RATE, rows / took_s, "rows/s", rows, this_machine(), besides=besides, at_least=True
    )


def _ahead(books: Books, said: int) -> bool:
    return said * HOSTS - books.backlog.taken > _UNHEARD or books.backlog.rows > _MOST_WAITING


async def _all_written(books: Books) -> int:
    """Until every row that was said is in the table; answers how many there are."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if not books.backlog.rows:
            rows = int(await books.database.fetchval("select count(*) from host_slices"))
            if rows == HOSTS * SLICES:
                return rows
        await asyncio.sleep(0.02)
    return int(await books.database.fetchval("select count(*) from host_slices"))


async def _charts(books: Books, ends: datetime) -> Figure:
    begins = (ends - timedelta(hours=25)).replace(minute=0)
    few, all_of_them = HOSTS // 10, HOSTS
    await _fill(books.database, begins, ends, few)
    with_few = [await _one_chart(books.database, number, ends) for number in _chosen(few)]
    await _fill(books.database, begins, ends, all_of_them)
    samples = [await _one_chart(books.database, number, ends) for number in _chosen(all_of_them)]
    figure = of_samples(
        "recorder_chart",
        "chart of 24 h of one host of 10,000, read and rendered",
        samples,
        bar=BAR_CHART_MS,
        unit="ms",
    )
    grown = f"; with 1,000 hosts p95 {amount(percentile(with_few, 0.95), 'ms')}"
    return Figure(**{name: getattr(figure, name) for name in figure.__slots__} | {"besides": figure.besides + grown})


async def _fill(database: Database, begins: datetime, ends: datetime, hosts: int) -> None:
    """Hour by hour, as one statement may last ten seconds."""
    at = begins
    while at < ends:
        until = min(at + timedelta(minutes=55), ends)
        await database.execute(_FILL, at, until, hosts)
        at += timedelta(hours=1)
    async with database.own_connection() as connection:
        await connection.execute("analyze host_fives")


async def _one_chart(database: Database, number: int, ends: datetime) -> float:
    began = time.perf_counter()
    span = Span(ends - timedelta(hours=24), ends)
    choice = wanted(HOST_LEVELS, span.begins, span.ends, now=ends, kept=_KEPT)
    async with database.transaction() as tx:
        points = await PostgresUnit(tx).measured.chart(_name(number), choice, span)
    ChartView.of(_name(number), Chart(choice, span, points)).model_dump_json(by_alias=True)
    took_ms = (time.perf_counter() - began) * 1000
    if choice.level is not FIVES or len(points) < 280:
        raise AssertionError(f"a day has {len(points)} points from {choice.level.name}")
    return took_ms


async def _bytes_per_row(database: Database) -> str:
    found = []
    for table, name in (("host_slices", "raw"), ("host_minutes", "1 min"), ("host_fives", "5 min")):
        size = await database.fetchval(
            "select sum(pg_total_relation_size(inhrelid)) from pg_inherits where inhparent = $1::text::regclass", table
        )
        rows = await database.fetchval(f"select count(*) from {table}")  # noqa: S608 - names are ours
        found.append(f"{name} {float(size) / max(rows, 1):.0f}")
    return ", ".join(found)


@asynccontextmanager
async def _opened() -> AsyncIterator[Books]:
    with tempfile.TemporaryDirectory(prefix="ronda-recorder-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # root's server runs as another user
        server = LocalPostgres(Path(folder) / "postgres")
        await server.start()
        try:
            with NatsServer(Path(folder) / "nats") as nats:
                async with (
                    Database.connect(server.url("ronda_api"), schema="api", source="bench") as database,
                    NatsBus.connect(nats.url("api"), name="bench", source="bench") as bus,
                ):
                    await migrate(database, MIGRATIONS)
                    yield _books(database, bus)
        finally:
            await server.stop()


def _books(database: Database, bus: NatsBus) -> Books:
    clock, metrics = SystemClock(), Metrics()
    backlog, partitions = Backlog(1_000_000), Partitions(database, _KEPT)
    recorder = Recorder(backlog, SampleRows(database, partitions, backlog), clock=clock, metrics=metrics)
    return Books(
        database, bus, backlog, recorder, Keeper(database, partitions, kept=_KEPT, clock=clock, metrics=metrics)
    )


def _sample(at: datetime) -> HostSlices:
    dice = random.Random(1)  # noqa: S311 - round trips, repeatable
    means = [round(dice.uniform(1, 80), 3) for _ in range(HOSTS)]
    return HostSlices(
        instance="bench",
        at=at,
        slice_s=SLICE_S,
        hosts=tuple(_name(number) for number in range(1, HOSTS + 1)),
        sent=(10,) * HOSTS,
        received=(10,) * HOSTS,
        rtt_min_ms=tuple(round(mean * 0.8, 3) for mean in means),
        rtt_avg_ms=tuple(means),
        rtt_max_ms=tuple(round(mean * 1.7, 3) for mean in means),
        jitter_ms=tuple(round(mean * 0.1, 3) for mean in means),
    )


def _name(number: int) -> str:
    return f"01m7host{number:018}"


def _chosen(hosts: int) -> list[int]:
    dice = random.Random(hosts)  # noqa: S311 - hosts, repeatable
    return [dice.randint(1, hosts) for _ in range(CHARTS)]
