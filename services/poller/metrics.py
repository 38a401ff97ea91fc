"""What the poller counts, for Prometheus."""

from __future__ import annotations

from services.poller.duty import Duty
from services.poller.handlers.followers.post import WatchCounts
from services.poller.handlers.telling import Teller
from services.poller.loop import Patrol
from shared.contracts.vocabulary import HostState
from shared.telemetry import Metrics


def measure(metrics: Metrics, patrol: Patrol, teller: Teller, duty: Duty, counts: WatchCounts) -> None:
    """Ask these parts whenever somebody looks: counting costs the hot path nothing."""
    metrics.watch("poller_probes_sent_total", "Probes sent since the start.", lambda: patrol.asked_total)
    metrics.watch("poller_hosts_watched", "Hosts under watch.", lambda: len(patrol.watches))
    metrics.watch("poller_hosts_down", "Watched hosts that are down.", lambda: _in_state(patrol, HostState.DOWN))
    metrics.watch(
        "poller_hosts_unknown", "Watched hosts that cannot be asked.", lambda: _in_state(patrol, HostState.UNKNOWN)
    )
    metrics.watch("poller_facts_told_total", "Facts published since the start.", lambda: teller.told_total)
    metrics.watch("poller_facts_waiting", "Facts that wait for the bus.", lambda: teller.waiting)
    metrics.watch(
        "poller_facts_left_out_total", "Facts left out while the bus was away.", lambda: teller.left_out_total
    )
    metrics.watch("poller_sessions_open", "Open subscriber sessions.", lambda: sum(duty.sessions().values()))
    _measure_routers(metrics, duty, counts)


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
        lambda: counts.quiet_lease_tables,
    )


def _in_state(patrol: Patrol, state: HostState) -> int:
    return sum(watch.state.hard is state for watch in patrol.watches.values())
