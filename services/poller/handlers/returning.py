"""Come back after having been cut off from the bus: what is told late says so, and at the end one word for it all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

import structlog

from services.poller.handlers.telling import Teller
from shared.clock import Clock
from shared.contracts.events import PollerReturned
from shared.contracts.ids import HostId, SiteId

log = structlog.get_logger(__name__)


class Homecoming:
    """One poller's absences. A short one is none: its facts are still news."""

    def __init__(
        self,
        teller: Teller,
        clock: Clock,
        *,
        instance: str,
        late_after_s: float,
        hosts_down: Callable[[], Collection[HostId]],
        sites: Callable[[], Collection[SiteId]],
        on_home: Callable[[], None] = lambda: None,
    ) -> None:
        """`sites`: whose hosts and routers are watched here. `on_home` runs when an absence is over and told."""
        self._teller = teller
        self._clock = clock
        self._instance = instance
        self._late_after_s = late_after_s
        self._hosts_down = hosts_down
        self._sites = sites
        self._on_home = on_home
        self._away_since: datetime | None = None
        self._told_before = 0
        self._came = asyncio.Event()

    def came_back(self, away_since: float) -> None:
        """The lease is ours again, and was not since `away_since` (monotonic seconds). Nothing has been told yet."""
        away_s = self._clock.monotonic() - away_since
        if away_s < self._late_after_s and self._away_since is None:
            self._on_home()
            return
        if self._away_since is None:
            self._away_since = self._clock.now() - timedelta(seconds=away_s)
            self._told_before = self._teller.late_total
        waiting = self._teller.mark_late()
        log.info("back after a long absence", away_s=round(away_s, 1), facts_waiting=waiting)
        self._came.set()

    async def run(self) -> None:
        """Say that we are back whenever all that was late has been told, until cancelled."""
        while True:
            await self._came.wait()
            self._came.clear()
            await self._teller.told_late()
            if self._away_since is None:
                continue
            away_since, self._away_since = self._away_since, None
            event = PollerReturned(
                at=self._clock.now(),
                instance=self._instance,
                away_since=away_since,
                facts=self._teller.late_total - self._told_before,
                hosts_down=tuple(sorted(self._hosts_down())),
                site_ids=tuple(sorted(self._sites())),
            )
            self._teller.announce(f"returned.{self._instance}", event)
            self._on_home()
