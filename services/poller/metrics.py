"""What the poller counts, for Prometheus."""

from __future__ import annotations

from functools import partial

from services.poller.adapters.icmp import IcmpProbe
from services.poller.core.clock_jury import ClockJury
from services.poller.duty import Duty
from services.poller.handlers.followers.post import WatchCounts
from services.poller.handlers.sampling import SampleVoice
from services.poller.handlers.telling import Teller
from services.poller.handlers.tenure import Tenure
from services.poller.loop import Patrol
from shared.contracts.vocabulary import HostState
from shared.telemetry import Metrics


def measure(metrics: Metrics, patrol: Patrol, teller: Teller, duty: Duty, counts: WatchCounts, jury: ClockJury) -> None:
    """Ask these parts whenever somebody looks: counting costs the hot path nothing."""
    metrics.watch("poller_probes_sent_total", "Probes sent since the start.", lambda: patrol.asked_total)
    metrics.watch("poller_hosts_watched", "Hosts under watch.", lambda: len(patrol.watches))
    metrics.watch("poller_hosts_down", "Watched hosts that are down.", lambda: _in_state(patrol, HostState.DOWN))
    metrics.watch(
        "poller_hosts_unknown", "Watched hosts that cannot be asked.", lambda: _in_state(patrol, HostState.UNKNOWN)
    )
    metrics.watch(
        "poller_hosts_unreachable",
        "Watched hosts that are behind something that is down.",
        lambda: _in_state(patrol, HostState.UNREACHABLE),
    )
    metrics.watch("poller_hurried_probes_total", "Probes sent out of turn.", lambda: patrol.budget.spent_total)
    metrics.watch("poller_blind", "1 while no sentinel answers.", lambda: int(patrol.blind))
    metrics.watch("poller_facts_told_total", "Facts published since the start.", lambda: teller.told_total)
    metrics.watch("poller_facts_waiting", "Facts that wait for the bus.", lambda: teller.waiting)
    metrics.watch(
        "poller_facts_left_out_total", "Facts left out while the bus was away.", lambda: teller.left_out_total
    )
    metrics.watch("poller_sessions_open", "Open subscriber sessions.", lambda: sum(duty.sessions().values()))
    _measure_routers(metrics, duty, counts)
    metrics.watch(
        "poller_facts_dropped_total",
        "Facts left to the poller that had taken over when they were to be told.",
        lambda: teller.dropped_total,
    )
    metrics.watch(
        "poller_clock_error_seconds",
        "How far this machine's clock is behind, as most routers agree; negative: ahead.",
        lambda: jury.own_error_s,
    )


def measure_tenure(metrics: Metrics, tenure: Tenure) -> None:
    """How the watch is shared."""
    metrics.watch("poller_parts_held", "Shards and sites that this poller watches.", lambda: len(tenure.parts))
    metrics.watch("poller_members", "Pollers that live, this one included.", lambda: len(tenure.others()) + 1)
    metrics.watch(
        "poller_takeovers_total", "Parts taken over from pollers that were gone.", lambda: tenure.takeovers_total
    )
    metrics.watch("poller_lease_age_seconds", "Since the lease was renewed last.", lambda: tenure.lease_age_s)


def _measure_routers(metrics: Metrics, duty: Duty, counts: WatchCounts) -> None:
    metrics.watch("poller_routers_watched", "Routers under watch.", lambda: duty.routers[0])
    metrics.watch("poller_routers_reachable", "Watched routers that can be asked.", lambda: duty.routers[1])
    metrics.watch("poller_router_logins_total", "Logins to routers since the start.", lambda: counts.logins)
    metrics.watch("poller_router_looks_total", "Periodic looks at routers since the start.", lambda: counts.looks)
    metrics.watch("poller_router_looks_failed_total", "Looks that got no usable answer.", lambda: counts.looks_failed)
    metrics.watch("poller_router_readings_total", "Values measured on routers.", lambda: counts.readings)
    metrics.watch("poller_follower_crashes_total", "Crashes of what follows a router.", lambda: counts.crashes)
    metrics.watch(
        "poller_lease_tables_quiet",
        "Routers with too many leases to tell one by one.",
        lambda: duty.quiet_lease_tables,
    )


_TALLIED = {
    "late": "Answers to ICMP probes that came after their time was up.",
    "too_late": "Answers that came when nobody waited for them any more.",
    "duplicates": "Further answers to one request.",
    "foreign": "Answers from another address than was asked; not counted as answers.",
    "refused": "ICMP errors about requests.",
    "postponed": "Times that the kernel had no room for a request.",
    "unsent": "Requests that could not be sent.",
}


def measure_icmp(metrics: Metrics, icmp: IcmpProbe) -> None:
    """What the ICMP engine counts besides answers and losses."""
    for name, what in _TALLIED.items():
        metrics.watch(f"poller_icmp_{name}_total", what, partial(_tallied, icmp, name))


def _tallied(icmp: IcmpProbe, name: str) -> float:
    return float(getattr(icmp.tally(), name))


def measure_quality(metrics: Metrics, patrol: Patrol, voice: SampleVoice) -> None:
    """What is measured of connections, and whether anybody could hear it."""
    metrics.watch(
        "poller_train_probes_sent_total", "Probes sent for the quality alone.", lambda: patrol.trains.sent_total
    )
    metrics.watch("poller_samples_said_total", "Messages of samples said.", lambda: voice.said_total)
    metrics.watch("poller_samples_dropped_total", "Messages of samples dropped: no bus.", lambda: voice.dropped_total)
    metrics.watch("poller_hosts_degraded", "Watched hosts that are degraded.", lambda: _degraded(patrol))


def _in_state(patrol: Patrol, state: HostState) -> int:
    return sum(watch.state.hard is state for watch in patrol.watches.values())


def _degraded(patrol: Patrol) -> int:
    return sum(watch.connection.standing.degraded for watch in patrol.watches.values())
