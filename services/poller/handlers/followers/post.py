"""Where the followers of one router stand: their router, what they know of it, and whom they tell."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from services.poller.core.clock_jury import ClockJury
from services.poller.handlers.followers.notebook import Notebook
from shared.clock import Clock
from shared.contracts.inventory import Router
from shared.contracts.samples import Reading, RouterReadings
from shared.contracts.vocabulary import Service
from shared.routeros import Session

Say = Callable[[RouterReadings], Awaitable[None]]


class Follower(Protocol):
    """One kind of thing that a router says of itself."""

    @property
    def name(self) -> str:
        """For logs and metrics."""
        ...

    async def follow(self, session: Session) -> None:
        """Follow until the connection ends (raises Unreachable, or is cancelled); return early where the router has
        nothing to follow. Called again for each new connection."""
        ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How often routers are looked at, and where they become too much."""

    interval_s: float = 30.0
    leases_most: int = 2000


@dataclass(slots=True)
class WatchCounts:
    """What all watchers together have done since the start."""

    logins: int = 0
    looks: int = 0
    looks_failed: int = 0
    readings: int = 0
    crashes: int = 0


@dataclass(slots=True)
class Post:
    """Shared by the followers of one router. `router` may be replaced while they run (a new name, other limits)."""

    router: Router
    notebook: Notebook
    clock: Clock
    say: Say
    sessions: Callable[[], Mapping[Service, int]] = dict
    pace: Pace = field(default_factory=Pace)
    counts: WatchCounts = field(default_factory=WatchCounts)
    jury: ClockJury = field(default_factory=ClockJury)  # one for all routers
    leases_quiet: bool = False  # this router has too many to tell

    def common(self, at: datetime) -> dict[str, Any]:
        """The fields that every observation has."""
        router = self.router
        return {"at": at, "router_id": router.id, "router_name": router.name, "site_id": router.site_id}

    async def measured(self, readings: list[Reading]) -> None:
        """Publish readings of now."""
        if readings:
            self.counts.readings += len(readings)
            at = self.clock.now()
            await self.say(RouterReadings(router_id=self.router.id, at=at, readings=tuple(readings)))
