"""Whether a router can be asked: told with hysteresis, so that a short break is no news."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

CONFIRM = timedelta(seconds=10)
TRIES = 3


class Reachability(StrEnum):
    """What is known of the way to a router."""

    UNKNOWN = "unknown"
    REACHABLE = "reachable"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Reach:
    """What is known, and what points to a change. The first three fields survive a restart."""

    hard: Reachability = Reachability.UNKNOWN
    transition: int = 0
    since: datetime | None = None
    failures: int = 0
    failing_since: datetime | None = None

    def remembered(self) -> Reach:
        """What is left after a restart."""
        return Reach(self.hard, self.transition, self.since)


@dataclass(frozen=True, slots=True)
class Reached:
    """The router answers (again). `unreachable_since` only if it was told to be unreachable."""

    at: datetime
    transition: int
    unreachable_since: datetime | None


@dataclass(frozen=True, slots=True)
class Lost:
    """The router cannot be asked."""

    at: datetime
    transition: int
    reason: str


def answered(reach: Reach, now: datetime) -> tuple[Reach, Reached | None]:
    """A session to the router is up."""
    if reach.hard is Reachability.REACHABLE:
        return replace(reach, failures=0, failing_since=None), None
    since = reach.since if reach.hard is Reachability.UNREACHABLE else None
    fact = Reached(now, reach.transition + 1, since)
    return Reach(Reachability.REACHABLE, fact.transition, now), fact


def failed(
    reach: Reach, reason: str, now: datetime, *, tried: bool = True, certain: bool = False
) -> tuple[Reach, Lost | None]:
    """A try failed, or (not `tried`) time has passed since. `certain`: the router itself refused, waiting is no use."""
    began = reach.failing_since or now
    reach = replace(reach, failures=reach.failures + tried, failing_since=began)
    if reach.hard is Reachability.UNREACHABLE:
        return reach, None
    if not (certain or reach.failures >= TRIES or now - began >= CONFIRM):
        return reach, None
    fact = Lost(now, reach.transition + 1, reason)
    return replace(reach, hard=Reachability.UNREACHABLE, transition=fact.transition, since=began), fact
