"""What the poller counts, for Prometheus."""

from __future__ import annotations

from functools import partial

from services.poller.adapters.icmp import IcmpProbe
from services.poller.duty import Duty
from services.poller.handlers.telling import Teller
from services.poller.loop import Patrol
from shared.contracts.vocabulary import HostState
from shared.telemetry import Metrics


def measure(metrics: Metrics, patrol: Patrol, teller: Teller, duty: Duty) -> None:
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


def _in_state(patrol: Patrol, state: HostState) -> int:
    return sum(watch.state.hard is state for watch in patrol.watches.values())
