"""The poller, put together: probes and router sessions on one side, the bus on the other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from typing import Any

import structlog

from services.poller.adapters.icmp import IcmpProbe
from services.poller.adapters.resolver import SystemResolver
from services.poller.adapters.traceroute import trace_route
from services.poller.collector import search_less
from services.poller.core.clock_jury import ClockJury
from services.poller.core.degraded import QualityFact, bounds_from
from services.poller.core.landscape import Landscape
from services.poller.core.records import poller_key
from services.poller.core.roster import Roster
from services.poller.duty import Duty
from services.poller.handlers import HANDLERS
from services.poller.handlers.beating import beat
from services.poller.handlers.doors import RouterDoors
from services.poller.handlers.facts import Herald
from services.poller.handlers.followers.post import Pace, WatchCounts
from services.poller.handlers.heard_hosts import HeardHosts
from services.poller.handlers.hearsay import Hearsay
from services.poller.handlers.inventory import RosterCopy
from services.poller.handlers.live import LIVE, answer_live
from services.poller.handlers.quality import tell_quality
from services.poller.handlers.recall import recall
from services.poller.handlers.routers import Connect, RouterWatcher
from services.poller.handlers.sampling import SampleVoice
from services.poller.handlers.telling import Teller
from services.poller.handlers.upkeep import Upkeep
from services.poller.handlers.witnesses import (
    Line,
    Neighbourhood,
    NetwatchWitness,
    PollerWitness,
    RouterWitness,
    SessionWitness,
)
from services.poller.loop import Patrol
from services.poller.measuring import Measurements
from services.poller.metrics import measure, measure_icmp, measure_quality
from services.poller.ports import Probe, Resolver
from services.poller.probes import Means, real_probes
from services.poller.settings import PollerSettings
from services.poller.watch import Watch
from shared.bus.following import follow
from shared.bus.nats import NatsBus
from shared.bus.ports import Bus
from shared.clock import Clock, SystemClock
from shared.contracts.live import TraceTarget
from shared.contracts.queries import ListWatched, LookForHost, PingTarget, Query
from shared.contracts.samples import RouterReadings
from shared.contracts.streams import INVENTORY_BUCKET, STATE_BUCKET
from shared.contracts.vocabulary import ProbeKind
from shared.errors import Temporary, Unreachable
from shared.lifecycle import Service, run_service
from shared.routeros import RouterSession
from shared.routeros.registered import registered_address
from shared.telemetry import Check, Metrics

_BUS_GRACE_S = 15.0
_QUEUE = "poller"

log = structlog.get_logger(__name__)


def main() -> int:
    """Run until a signal; answers the exit code."""
    search_less()
    return run_service("poller", PollerSettings, build)


@asynccontextmanager
async def build(
    settings: PollerSettings,
    *,
    clock: Clock | None = None,
    bus: Bus | None = None,
    probes: Mapping[ProbeKind, Probe] | None = None,
    resolver: Resolver | None = None,
    connect: Connect = RouterSession.connect,
) -> AsyncIterator[Service]:
    """The poller, ready to run. What a test gives takes the place of the real thing."""
    clock, resolver = clock or SystemClock(), resolver or SystemResolver()
    async with AsyncExitStack() as stack:
        if bus is None:
            connection = NatsBus.connect(settings.nats_url, name=settings.instance, source="poller", clock=clock)
            bus = await stack.enter_async_context(connection)
        means = Means(RouterDoors(), resolver, clock)
        if probes is None:
            probes = await stack.enter_async_context(real_probes(means))
        yield await _assemble(settings, bus, probes, means, connect)


def askable(sentinels: tuple[str, ...], icmp: Probe) -> tuple[str, ...]:
    """The sentinels that we may ask. One that we may not ask says nothing, and would make us blind for TCP, too."""
    refusals = icmp.refusals if isinstance(icmp, IcmpProbe) else {}
    usable = tuple(address for address in sentinels if (6 if ":" in address else 4) not in refusals)
    if len(usable) < len(sentinels):
        log.warning("sentinels that cannot be asked are left out", kept=usable)
    return usable


async def say_readings(bus: Bus, readings: RouterReadings) -> None:
    """Measurements may be lost: while the bus is away they are, and nobody waits for it."""
    with suppress(Temporary):
        await bus.publish_sample(readings)


async def _assemble(
    settings: PollerSettings,
    bus: Bus,
    probes: Mapping[ProbeKind, Probe],
    means: Means,
    connect: Connect,
) -> Service:
    clock, resolver, doors = means.clock, means.resolver, means.doors
    keys = settings.key_ring()
    state = await bus.bucket(STATE_BUCKET)
    roster = Roster()

    def on_quality(watch: Watch, fact: QualityFact | None) -> None:
        tell_quality(watch, fact, roster=roster, teller=teller)

    def on_takeover(key: str, value: bytes) -> None:
        duty.take_over(key, value)

    def lines(address: str) -> list[Line]:
        return duty.lines(address)

    sentinels = askable(settings.poller_sentinels, probes[ProbeKind.ICMP])
    teller = Teller(bus, state, on_takeover=on_takeover)
    memory = await recall(bus, state, teller)
    hearsay = Hearsay(bus, state, teller, hosts=HeardHosts())
    landscape: Landscape[Watch] = Landscape()
    upkeep = Upkeep(roster, teller, clock, began=memory.maintenances)
    herald = Herald(
        settings.instance,
        sentinels,
        roster=roster,
        landscape=landscape,
        upkeep=upkeep,
        teller=teller,
        clock=clock,
        known=memory.pollers.get(poller_key(settings.instance)),
    )
    voice = SampleVoice(bus)
    measurements = Measurements(
        clock,
        settings.instance,
        say=voice.say,
        on_quality=on_quality,
        remembered=memory.quality,
        bounds=bounds_from(settings.poller_degraded),
    )
    means.remark = measurements.warn
    counts, jury = WatchCounts(), ClockJury()
    others = PollerWitness(bus, settings.instance, clock)
    near = Neighbourhood(roster)
    witnesses = (
        others,
        SessionWitness(doors, lines),
        NetwatchWitness(doors, near.of, clock),
        RouterWitness(doors, near.of),
    )
    patrol = Patrol(
        probes,
        resolver,
        clock,
        sentinels=sentinels,
        press=herald,
        landscape=landscape,
        witnesses=witnesses,
        measurements=measurements,
    )
    new_watcher = partial(
        RouterWatcher,
        address_of=partial(registered_address, keys=keys),
        connect=connect,
        teller=teller,
        clock=clock,
        hearsay=hearsay,
        nas_of=roster.nas_of,
        doors=doors,
        say=partial(say_readings, bus),
        pace=Pace(settings.poller_router_interval_s, settings.poller_leases_most),
        counts=counts,
        jury=jury,
    )
    seen_at = memory.seen_at(settings.instance)
    duty = Duty(roster, patrol, teller, memory, new_watcher, upkeep=upkeep, seen_at=seen_at)
    ports: dict[type[Query[Any]], dict[str, Any]] = {
        PingTarget: {"roster": roster, "probes": probes, "resolver": resolver},
        ListWatched: {"watches": patrol.watches, "sessions": duty.sessions},
        TraceTarget: {"roster": roster, "resolver": resolver, "trace": trace_route},
        LookForHost: {"instance": settings.instance, "probes": probes},
    }
    ask_router = partial(answer_live, door=doors, trouble=duty.trouble)
    metrics = Metrics()
    measure(metrics, patrol, teller, duty, counts, jury)
    measure_quality(metrics, patrol, voice)
    if isinstance(icmp := probes[ProbeKind.ICMP], IcmpProbe):
        measure_icmp(metrics, icmp)

    async def inventory_read() -> None:
        if not duty.ready:
            raise Unreachable("the inventory has not been read yet")

    async def bus_connected() -> None:
        if not bus.connected:
            raise Unreachable("the bus is away")

    return Service(
        loops={
            "inventory": partial(follow, partial(bus.bucket, INVENTORY_BUCKET), RosterCopy(roster, duty.changed)),
            "duty": duty.run,
            "hearsay": hearsay.run,
            "patrol": patrol.run,
            "upkeep": partial(upkeep.run, patrol.watches, patrol.look_again),
            "beat": partial(beat, state, instance=settings.instance, herald=herald, others=others),
            "telling": teller.run,
            **{
                kind.NAME: partial(bus.serve, kind, partial(handler, **ports[kind]), queue=_queue_of(kind))
                for kind, handler in HANDLERS.items()
            },
            **{kind.NAME: partial(bus.serve, kind, ask_router, queue=None) for kind in LIVE},
        },
        checks={"bus": Check(bus_connected, grace_s=_BUS_GRACE_S), "inventory": Check(inventory_read)},
        metrics=metrics,
    )


def _queue_of(kind: type[Query[Any]]) -> str | None:
    """Pollers share the questions; whether a host lives, each is asked for itself."""
    return None if kind is LookForHost else _QUEUE
