"""What was told last of a host or a router, and which state needs eyes first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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


class Condition(StrEnum):
    """What may be wrong with a host that answers, or lives without answering."""

    FLAPPING = "flapping"
    DEGRADED = "degraded"
    SILENT = "silent"


_SHOWN = {
    Condition.FLAPPING: HostState.FLAPPING,
    Condition.DEGRADED: HostState.DEGRADED,
    Condition.SILENT: HostState.DEGRADED,
}


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
    conditions: Mapping[Condition, datetime] = field(default_factory=dict)  # and since when

    @property
    def worst_condition(self) -> Condition | None:
        """The one to show: a host that does not answer has worse than these, and one that changes all the time, too."""
        if self.state is not HostState.UP:
            return Condition.FLAPPING if Condition.FLAPPING in self.conditions and self.state in _CHANGING else None
        return next((condition for condition in Condition if condition in self.conditions), None)

    @property
    def shown(self) -> HostState:
        """The state as people see it."""
        condition = self.worst_condition
        return self.state if condition is None else _SHOWN[condition]

    @property
    def shown_since(self) -> datetime:
        """When the state that is shown began."""
        condition = self.worst_condition
        return self.since if condition is None else self.conditions[condition]


_CHANGING = frozenset({HostState.UP, HostState.DOWN})


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
