"""The poller, put together: probes and router sessions on one side, the bus on the other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from typing import Any

import structlog

from services.poller.adapters.icmp import IcmpProbe
from services.poller.adapters.later_bucket import LaterBucket
from services.poller.adapters.resolver import SystemResolver
from services.poller.adapters.spool import SpoolFiles
from services.poller.adapters.traceroute import trace_route
from services.poller.collector import search_less
from services.poller.core.clock_jury import ClockJury
from services.poller.core.degraded import QualityFact, bounds_from
from services.poller.core.landscape import Landscape
from services.poller.core.records import poller_key
from services.poller.core.roster import Roster
from services.poller.crew import Crew, PinnedSites, hosts_down, sites_watched
from services.poller.duty import Duty
from services.poller.far_site import REACH_WITHIN_S, FarSite, NearSite
from services.poller.handlers import HANDLERS
from services.poller.handlers.beating import beat
from services.poller.handlers.claims import Claim, LaterGate
from services.poller.handlers.doors import RouterDoors
from services.poller.handlers.facts import Herald
from services.poller.handlers.followers.post import Pace, WatchCounts
from services.poller.handlers.hearsay import Hearsay
from services.poller.handlers.inventory import RosterCopy
from services.poller.handlers.live import LIVE, answer_live
from services.poller.handlers.live.paths import Trace
from services.poller.handlers.quality import tell_quality
from services.poller.handlers.recall import recall_sessions
from services.poller.handlers.returning import Homecoming
from services.poller.handlers.routers import Connect, RouterWatcher
from services.poller.handlers.sampling import SampleVoice
from services.poller.handlers.telling import Teller
from services.poller.handlers.tenure import Tenure
from services.poller.handlers.turns import InTurn
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
from services.poller.metrics import measure, measure_icmp, measure_quality, measure_tenure
from services.poller.ports import Probe, Resolver
from services.poller.probes import Means, real_probes
from services.poller.settings import PollerSettings
from services.poller.watch import Watch
from shared.bus.following import follow
from shared.bus.nats import NatsBus
from shared.bus.ports import Bus
from shared.clock import Clock, SystemClock
from shared.contracts.live import TraceFromPoller, TraceTarget
from shared.contracts.queries import ListOwnWatched, ListWatched, LookForHost, PingFromPoller, PingTarget, Query
from shared.contracts.samples import RouterReadings
from shared.contracts.streams import INVENTORY_BUCKET, LEASES_BUCKET, SHARDS_BUCKET, STATE_BUCKET
from shared.contracts.vocabulary import ProbeKind
from shared.errors import Temporary, Unreachable
from shared.lifecycle import Service, run_service
from shared.routeros import RouterSession
from shared.routeros.registered import registered_address
from shared.telemetry import Check, Metrics

_BUS_GRACE_S = 15.0
_FIRST_CONNECTION_S = 30.0
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
    trace: Trace = trace_route,
) -> AsyncIterator[Service]:
    """The poller, ready to run. What a test gives takes the place of the real thing."""
    clock, resolver = clock or SystemClock(), resolver or SystemResolver()
    async with AsyncExitStack() as stack:
        site = NearSite(settings.instance)
        if settings.poller_spool is not None:
            site = FarSite(stack.enter_context(SpoolFiles.opened(settings.poller_spool, site.name)), LaterBucket, clock)
        if bus is None:
            connection = NatsBus.connect(
                settings.nats_url,
                name=settings.instance,
                source="poller",
                clock=clock,
                connect_wait_s=REACH_WITHIN_S if isinstance(site, FarSite) else _FIRST_CONNECTION_S,
                patient=isinstance(site, FarSite),
            )
            bus = await stack.enter_async_context(connection)
        means = Means(RouterDoors(), resolver, clock)
        if probes is None:
            probes = await stack.enter_async_context(real_probes(means))
        service, crew = await _assemble(settings, bus, probes, means, connect, trace, site)
        stack.push_async_callback(crew.leave)
        yield service


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


async def _assemble(  # noqa: C901 one wire after the other, and what calls back later
    settings: PollerSettings,
    bus: Bus,
    probes: Mapping[ProbeKind, Probe],
    means: Means,
    connect: Connect,
    trace: Trace,
    site: NearSite,
) -> tuple[Service, Crew]:
    clock, resolver, doors = means.clock, means.resolver, means.doors
    keys = settings.key_ring()
    state, leases, shards = [await site.bucket(bus, spec) for spec in (STATE_BUCKET, LEASES_BUCKET, SHARDS_BUCKET)]
    roster = Roster()

    def on_quality(watch: Watch, fact: QualityFact | None) -> None:
        tell_quality(watch, fact, roster=roster, teller=teller)

    def on_takeover(key: str, value: bytes) -> None:
        duty.take_over(key, value)

    def lines(address: str) -> list[Line]:
        return duty.lines(address)

    sentinels = askable(settings.poller_sentinels, probes[ProbeKind.ICMP])

    def claim_of(key: str) -> Claim | None:
        return duty.claim_of(key)

    gate = LaterGate()
    teller = Teller(bus, state, on_takeover=on_takeover, gate=gate, claim_of=claim_of, journal=site.journal)
    memory = await site.remember(bus, state, shards, teller)
    hearsay = Hearsay(bus, state, teller, hosts=means.heard)
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
        connect=InTurn(connect),
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
    duty = Duty(
        roster,
        patrol,
        teller,
        memory,
        new_watcher,
        upkeep=upkeep,
        seen_at=seen_at,
        recall_sessions=partial(recall_sessions, bus, state, teller, memory),
        keeps=site.knows,
    )
    homecoming = Homecoming(
        teller,
        clock,
        instance=settings.instance,
        late_after_s=settings.poller_late_after_s,
        hosts_down=hosts_down(patrol),
        sites=sites_watched(patrol),
        on_home=site.home,
    )
    tenure = Tenure(
        leases,
        shards,
        duty,
        clock,
        name=site.name,
        instance=settings.instance,
        sites=PinnedSites(settings.poller_sites, roster),
        on_away=site.away,
        on_return=homecoming.came_back,
        on_table=site.table,
    )
    duty.share(tenure)
    gate.lead_to(tenure)

    def inventory_changed() -> None:
        duty.changed()
        site.inventory_changed()

    site.furnish(roster, duty.changed)
    site.resume(tenure)
    crew = Crew(bus, tenure, homecoming, duty, teller, memory)
    asks = {"roster": roster, "probes": probes, "resolver": resolver}
    ways = {"roster": roster, "resolver": resolver, "trace": trace}
    shows = {"watches": patrol.watches, "sessions": duty.sessions}
    ports: dict[type[Query[Any]], dict[str, Any]] = {
        PingTarget: {**asks, "bus": bus, "nearest": crew.nearest},
        PingFromPoller: {**asks, "name": site.name},
        ListWatched: {**shows, "bus": bus, "others": crew.others},
        ListOwnWatched: {**shows, "name": site.name},
        TraceTarget: {**ways, "bus": bus, "nearest": crew.nearest},
        TraceFromPoller: {**ways, "name": site.name},
        LookForHost: {"instance": settings.instance, "probes": probes},
    }
    ask_router = partial(answer_live, door=doors, trouble=duty.trouble)
    metrics = Metrics()
    measure(metrics, patrol, teller, duty, counts, jury)
    measure_tenure(metrics, tenure)
    measure_quality(metrics, patrol, voice)
    if isinstance(icmp := probes[ProbeKind.ICMP], IcmpProbe):
        measure_icmp(metrics, icmp)

    async def inventory_read() -> None:
        if not duty.ready:
            raise Unreachable("the inventory has not been read yet")

    async def bus_connected() -> None:
        if not bus.connected:
            raise Unreachable("the bus is away")

    service = Service(
        loops={
            **crew.loops(),
            **site.loops(roster),
            "inventory": partial(follow, partial(bus.bucket, INVENTORY_BUCKET), RosterCopy(roster, inventory_changed)),
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
    return service, crew


def _queue_of(kind: type[Query[Any]]) -> str | None:
    """Pollers share the questions; those for one of them, and whether a host lives, each hears for itself."""
    return None if kind in (LookForHost, PingFromPoller, TraceFromPoller, ListOwnWatched) else _QUEUE
