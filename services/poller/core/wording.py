"""From a fact of the judge to the message that the bus carries, and back from a message to the state it tells."""

from __future__ import annotations

from typing import Any

from services.poller.core.causes import Surroundings, likely_causes
from services.poller.core.judge import State
from services.poller.core.reply import Fact, WentDown, WentUnknown, WentUp
from shared.contracts.events import HostDown, HostTransition, HostUnknown, HostUp
from shared.contracts.ids import HostId
from shared.contracts.inventory import Host
from shared.contracts.vocabulary import HostState


def host_event(
    fact: Fact, host: Host, site_name: str, policy: str, parents_down: tuple[HostId, ...], around: Surroundings
) -> HostTransition:
    """The event that tells this fact of this host."""
    common: dict[str, Any] = {
        "at": fact.at,
        "host_id": host.id,
        "host_name": host.name,
        "address": host.address if host.port is None else f"{host.address}:{host.port}",
        "site_id": host.site_id,
        "site_name": site_name,
        "policy": policy,
        "transition": fact.transition,
        "previous": fact.previous,
    }
    match fact:
        case WentDown():
            causes = likely_causes(fact.failure, around)
            return HostDown(
                **common, since=fact.since, failure=fact.failure, likely_causes=causes, parents_down=parents_down
            )
        case WentUp():
            return HostUp(**common, down_since=fact.down_since, outage_s=fact.outage_s, rtt_ms=fact.rtt_ms)
        case WentUnknown():
            return HostUnknown(**common, reason=fact.reason)


def told_state(event: HostTransition, before: State) -> State:
    """The hard state that this event told to everybody; `before` is what was known until then."""
    match event:
        case HostDown():
            return State(HostState.DOWN, event.transition, event.at, event.since)
        case HostUp():
            return State(HostState.UP, event.transition, event.at)
        case _:
            return State(HostState.UNKNOWN, event.transition, event.at, before.down_since)
