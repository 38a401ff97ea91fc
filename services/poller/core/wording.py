"""From a fact of the judge to the message that the bus carries, and back from a message to the state it tells."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from services.poller.core.causes import Surroundings, likely_causes
from services.poller.core.judge import State
from services.poller.core.outages import Outage
from services.poller.core.reply import (
    BecameSteady,
    BeganFlapping,
    Fact,
    FellSilent,
    Observation,
    Transition,
    WasHeard,
    WentDown,
    WentUnknown,
    WentUnreachable,
    WentUp,
)
from shared.contracts.events import (
    HostDown,
    HostFlapping,
    HostHeard,
    HostObservation,
    HostSilent,
    HostSteady,
    HostTransition,
    HostUnknown,
    HostUnreachable,
    HostUp,
)
from shared.contracts.ids import HostId
from shared.contracts.inventory import Host
from shared.contracts.vocabulary import HostState


@dataclass(frozen=True, slots=True)
class Scene:
    """What else is known at the moment of telling."""

    site_name: str
    policy: str
    around: Surroundings
    parents_down: tuple[HostId, ...] = ()
    outage_id: str | None = None
    in_maintenance: bool = False


def host_event(fact: Fact, host: Host, scene: Scene) -> HostTransition | HostObservation:
    """The event that tells this fact of this host."""
    common: dict[str, Any] = {
        "at": fact.at,
        "host_id": host.id,
        "host_name": host.name,
        "address": host.address if host.port is None else f"{host.address}:{host.port}",
        "site_id": host.site_id,
        "site_name": scene.site_name,
        "policy": scene.policy,
    }
    if isinstance(fact, WentDown | WentUnreachable | WentUp | WentUnknown):
        return _transition(fact, scene, common)
    # Observations of a host that are a second apart at least: the second tells them apart after any restart.
    return _observation(fact, common | {"mark": int(fact.at.timestamp())})


def _transition(fact: Transition, scene: Scene, common: dict[str, Any]) -> HostTransition:
    common |= {
        "transition": fact.transition,
        "previous": fact.previous,
        "in_maintenance": scene.in_maintenance,
    }
    match fact:
        case WentDown():
            return HostDown(
                **common,
                not_before=fact.not_before,
                since=fact.since,
                failure=fact.failure,
                likely_causes=likely_causes(fact.failure, scene.around),
                parents_down=scene.parents_down,
                parents_verified=fact.verified,
                outage_id=scene.outage_id,
            )
        case WentUnreachable():
            return HostUnreachable(
                **common, not_before=fact.not_before, since=fact.since, behind=fact.behind, outage_id=scene.outage_id
            )
        case WentUp():
            return HostUp(
                **common,
                not_before=fact.not_before,
                down_since=fact.down_since,
                outage_s=fact.outage_s,
                rtt_ms=fact.rtt_ms,
            )
        case WentUnknown():
            return HostUnknown(**common, reason=fact.reason)


def _observation(fact: Observation, common: dict[str, Any]) -> HostObservation:
    match fact:
        case FellSilent():
            return HostSilent(
                **common, since=fact.since, failure=fact.failure, witness=fact.witness, seen_by=fact.seen_by
            )
        case WasHeard():
            return HostHeard(**common, silent_since=fact.silent_since)
        case BeganFlapping():
            return HostFlapping(**common, changes=fact.changes, window_s=fact.window_s, state=fact.state)
        case BecameSteady():
            return HostSteady(**common, state=fact.state, flapping_since=fact.flapping_since, changes=fact.changes)


def told_state(event: HostTransition, before: State) -> State:
    """The hard state that this event told to everybody; `before` is what was known until then."""
    match event:
        case HostDown():
            after = State(HostState.DOWN, event.transition, event.at, event.since, outage_id=event.outage_id)
        case HostUnreachable():
            hard = HostState.UNREACHABLE
            after = State(hard, event.transition, event.at, event.since, event.behind, outage_id=event.outage_id)
        case HostUp():
            after = State(HostState.UP, event.transition, event.at)
        case _:
            after = State(HostState.UNKNOWN, event.transition, event.at, before.down_since)
    return replace(after, flap=before.flap, hidden=event.in_maintenance)


def observed_state(event: HostObservation, before: State) -> State:
    """The state with what this event told beside it. What is older than the last transition is over."""
    if before.since is not None and event.at < before.since:
        return before
    match event:
        case HostSilent() if before.hard is HostState.UP:
            return replace(before, silent_since=event.since)
        case HostHeard():
            return replace(before, silent_since=None)
        case HostFlapping() if before.flap.since is None:
            return replace(before, flap=replace(before.flap, since=event.at, count=event.changes))
        case HostSteady() if before.flap.since is not None and event.at >= before.flap.since:
            return replace(before, flap=State().flap)
        case _:
            return before


def outage_words(outage: Outage, instance: str) -> dict[str, Any]:
    """The fields that an outage's events share, but for its name."""
    return {
        "outage_id": outage.id,
        "extent": outage.extent.scope,
        "object_id": outage.extent.object_id or instance,
        "site_id": outage.extent.site_id,
        "since": outage.since,
    }
