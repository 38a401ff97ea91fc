"""One poller among others, put together: its lease, its parts of the watch, its absences, and how it says goodbye."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from functools import partial

import structlog

from services.poller.core.records import HOSTS, QUALITY, ROUTERS
from services.poller.core.roster import Roster
from services.poller.core.shards import Member
from services.poller.duty import Duty
from services.poller.handlers.recall import Memory, SavedCopy, follow_told
from services.poller.handlers.returning import Homecoming
from services.poller.handlers.telling import Teller
from services.poller.handlers.tenure import Tenure
from services.poller.loop import Patrol
from shared.bus.following import follow
from shared.bus.ports import Bus
from shared.contracts.ids import HostId, SiteId
from shared.contracts.streams import STATE_BUCKET
from shared.contracts.vocabulary import HostState
from shared.errors import RondaError
from shared.lifecycle import Loop

_GOODBYE_S = 3.0  # of the 10 s that a service may take to stop

log = structlog.get_logger(__name__)


class PinnedSites:
    """The sites of a setting, ids or names, as the inventory knows them by now."""

    def __init__(self, wanted: tuple[str, ...], roster: Roster) -> None:
        self._wanted = wanted
        self._roster = roster
        self._unknown: set[str] = set()

    def __call__(self) -> frozenset[SiteId] | None:
        """None if the poller is pinned to nothing."""
        if not self._wanted:
            return None
        found = {site.id: site.name for site in self._roster.sites.values()}
        sites = frozenset(site_id for site_id, name in found.items() if site_id in self._wanted or name in self._wanted)
        unknown = set(self._wanted) - found.keys() - set(found.values())
        if found and unknown != self._unknown:
            self._unknown = unknown
            log.warning("sites of RONDA_POLLER_SITES that nobody knows", sites=sorted(unknown))
        return sites


class Crew:
    """What the poller does because it need not be alone."""

    def __init__(
        self,
        bus: Bus,
        tenure: Tenure,
        homecoming: Homecoming,
        duty: Duty,
        teller: Teller,
        memory: Memory,
    ) -> None:
        self._bus = bus
        self.tenure = tenure
        self._homecoming = homecoming
        self._duty = duty
        self._teller = teller
        self._memory = memory

    def loops(self) -> dict[str, Loop]:
        """By name."""
        state = partial(self._bus.bucket, STATE_BUCKET)
        return {
            "lease": self.tenure.renew,
            "members": self.tenure.follow_members,
            "table": self.tenure.follow_table,
            "parts": self.tenure.arrange,
            "homecoming": self._homecoming.run,
            "saved hosts": partial(follow, state, SavedCopy(self._memory, self._duty.heard), HOSTS),
            "saved routers": partial(follow, state, SavedCopy(self._memory, self._duty.heard), ROUTERS),
            "saved quality": partial(follow, state, SavedCopy(self._memory, self._duty.heard), QUALITY),
            "told": partial(follow_told, self._bus, self._memory, self._duty.heard),
        }

    def others(self) -> Collection[Member]:
        """The other pollers that live."""
        return self.tenure.others()

    def nearest(self, site_id: SiteId) -> str | None:
        """The poller that alone can reach a site; None if that is us, or anybody."""
        return next((member.name for member in self.others() if site_id in (member.sites or ())), None)

    async def leave(self) -> None:
        """The watch has stopped: tell what was seen, and let the others take over at once."""
        telling = asyncio.create_task(self._teller.run(), name="last words")
        try:
            async with asyncio.timeout(_GOODBYE_S):
                await self._teller.drained()
                await self.tenure.leave()
        except (RondaError, TimeoutError) as problem:
            log.warning("left without a goodbye", reason=str(problem) or "the bus is away")
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)


def hosts_down(patrol: Patrol) -> Callable[[], list[HostId]]:
    """Who of the watched is down."""
    return lambda: [
        host_id for host_id, watch in patrol.watches.items() if watch.tells and watch.state.hard is HostState.DOWN
    ]


def sites_watched(patrol: Patrol) -> Callable[[], set[SiteId]]:
    """Whose hosts are watched."""
    return lambda: {watch.host.site_id for watch in patrol.watches.values() if watch.tells}
