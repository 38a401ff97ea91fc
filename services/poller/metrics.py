"""What the poller counts, for Prometheus."""

from __future__ import annotations

from services.poller.duty import Duty
from services.poller.handlers.telling import Teller
from services.poller.handlers.tenure import Tenure
from services.poller.loop import Patrol
from shared.contracts.vocabulary import HostState
from shared.telemetry import Metrics


def measure(metrics: Metrics, patrol: Patrol, teller: Teller, duty: Duty, tenure: Tenure) -> None:
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
    metrics.watch(
        "poller_facts_dropped_total",
        "Facts left to the poller that had taken over when they were to be told.",
        lambda: teller.dropped_total,
    )
    metrics.watch("poller_parts_held", "Shards and sites that this poller watches.", lambda: len(tenure.parts))
    metrics.watch("poller_members", "Pollers that live, this one included.", lambda: len(tenure.others()) + 1)
    metrics.watch(
        "poller_takeovers_total", "Parts taken over from pollers that were gone.", lambda: tenure.takeovers_total
    )
    metrics.watch("poller_lease_age_seconds", "Since the lease was renewed last.", lambda: tenure.lease_age_s)
    metrics.watch("poller_sessions_open", "Open subscriber sessions.", lambda: sum(duty.sessions().values()))


def _in_state(patrol: Patrol, state: HostState) -> int:
    return sum(watch.state.hard is state for watch in patrol.watches.values())
