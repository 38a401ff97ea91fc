"""What was told last of a host or a router, and which state needs eyes first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.contracts.vocabulary import HostState, LikelyCause

WORST_FIRST: tuple[HostState, ...] = (
    HostState.DOWN,
    HostState.UNREACHABLE,
    HostState.FLAPPING,
    HostState.DEGRADED,
    HostState.SUSPECT,
    HostState.UNKNOWN,
    HostState.MAINTENANCE,
    HostState.UP,
)
RANK = {state: rank for rank, state in enumerate(WORST_FIRST)}


class RouterState(StrEnum):
    """Whether a router's API can be asked."""

    REACHABLE = "reachable"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class HostStanding:
    """The last hard state of a host. `since` is when it began, `transition` orders what was told."""

    host_id: str
    state: HostState
    since: datetime
    transition: int
    rtt_ms: float | None = None
    likely_causes: tuple[LikelyCause, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class RouterStanding:
    """The last that was told of the connection to a router."""

    router_id: str
    state: RouterState
    since: datetime
    transition: int
    identity: str | None = None
    version: str | None = None
    board: str | None = None
    uptime_s: int | None = None
    reason: str | None = None


def worst(states: Sequence[HostState]) -> HostState:
    """The state that needs eyes first; UNKNOWN when there is none."""
    return min(states, key=RANK.__getitem__, default=HostState.UNKNOWN)
