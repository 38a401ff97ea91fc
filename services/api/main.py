"""The api's wiring: database and bus, what is built on them, and the loops that keep them in step."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog
from fastapi import FastAPI

from services.api.adapters.inventory_bucket import InventoryPublisher
from services.api.adapters.keeper import Keeper
from services.api.adapters.opening import SOURCE, open_database
from services.api.adapters.partitions import Partitions
from services.api.adapters.passwords import Argon2Hasher
from services.api.adapters.sample_rows import SampleRows
from services.api.adapters.store import PostgresInventory, PostgresStore
from services.api.app import make_app
from services.api.core.backlog import Backlog
from services.api.core.throttle import LoginThrottle
from services.api.deps import Parts
from services.api.handlers import HANDLERS
from services.api.handlers.ingest import Gate
from services.api.handlers.live import BoardBell
from services.api.handlers.projections import CONSUMER, bind
from services.api.handlers.recorder import Recorder
from services.api.settings import ApiSettings
from shared.bus.nats import NatsBus
from shared.bus.ports import Bus, ConsumerSpec
from shared.clock import Clock, SystemClock
from shared.contracts.streams import EVENTS
from shared.contracts.subjects import Kind, every
from shared.db import Database, OutboxRelay
from shared.errors import Unreachable
from shared.lifecycle import Service
from shared.telemetry import Check, HealthServer, Metrics
from shared.telemetry.health import serving

log = structlog.get_logger(__name__)

BUS_GRACE_S = 30.0
PROJECTION = ConsumerSpec(name=CONSUMER, stream=EVENTS, filters=(every(Kind.EVENT),), max_in_flight=64)


@dataclass(frozen=True, slots=True)
class Assembled:
    """The program before anybody can reach it; tests start here."""

    app: FastAPI
    service: Service
    parts: Parts
    publisher: InventoryPublisher
    database: Database = field(repr=False)


@asynccontextmanager
async def assemble(
    settings: ApiSettings, *, bus: Bus | None = None, clock: Clock | None = None
) -> AsyncIterator[Assembled]:
    """Open database and bus and put everything together."""
    clock = clock or SystemClock()
    async with open_database(settings, clock) as database:
        if bus is not None:
            yield _assembled(settings, database, bus, clock)
            return
        bus_opened = NatsBus.connect(settings.nats_url, name=settings.instance, source=SOURCE, clock=clock)
        async with bus_opened as nats_bus:
            yield _assembled(settings, database, nats_bus, clock)


@asynccontextmanager
async def build(settings: ApiSettings, *, bus: Bus | None = None, clock: Clock | None = None) -> AsyncIterator[Service]:
    """The service, reachable by HTTP."""
    async with (
        assemble(settings, bus=bus, clock=clock) as api,
        serving(api.app, settings.api_host, settings.api_port) as address,
    ):
        log.info("REST and console are served", address=address)
        try:
            yield api.service
        finally:
            api.parts.stopping.set()


def _assembled(settings: ApiSettings, database: Database, bus: Bus, clock: Clock) -> Assembled:
    source = PostgresInventory(database, time_zone=settings.time_zone)
    publisher = InventoryPublisher(database, source, bus, clock)
    store = PostgresStore(database, on_announce=publisher.wake)
    bell = BoardBell()
    parts = Parts(
        store=store,
        bus=bus,
        clock=clock,
        hasher=Argon2Hasher(),
        sealer=settings.key_ring(),
        throttle=LoginThrottle(),
        bell=bell,
        gate=Gate(),
        ingest_url=settings.ingest_url,
        time_zone=settings.time_zone,
        language=settings.language,
        secure_cookies=settings.public_https,
        kept=settings.kept(),
        stopping=asyncio.Event(),
    )
    app = make_app(parts)
    metrics = Metrics()
    kept = parts.kept
    partitions = Partitions(database, kept)
    backlog = Backlog(settings.recorder_waiting_rows)
    recorder = Recorder(backlog, SampleRows(database, partitions, backlog), clock=clock, metrics=metrics)
    keeper = Keeper(database, partitions, kept=kept, clock=clock, metrics=metrics)
    checks = {"database": Check(database.check), "bus": Check(_bus_check(bus), grace_s=BUS_GRACE_S)}
    relay = OutboxRelay(database, bus)
    service = Service(
        loops={
            "outbox": relay.run,
            "inventory": publisher.run,
            "projections": lambda: bus.consume(PROJECTION, bind(HANDLERS, store=store, bell=bell)),
            "board": app.state.board_watch.run,
            "samples": lambda: recorder.listen(bus),
            "recorder": recorder.write,
            "keeper": keeper.run,
        },
        checks=checks,
        metrics=metrics,
    )
    # The same port answers the probes too, so that one address is enough for a proxy or a supervisor.
    app.router.routes.extend(HealthServer(settings, checks, metrics=metrics).app.routes)
    return Assembled(app, service, parts, publisher, database)


def _bus_check(bus: Bus) -> Callable[[], Awaitable[None]]:
    async def check() -> None:
        if not bus.connected:
            raise Unreachable("the bus does not answer")

    return check
