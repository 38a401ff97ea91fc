"""What the inventory says is to be watched, is watched: hosts by the patrol, routers by one watcher each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from services.poller.core.judge import FALLEN, State
from services.poller.core.reach import Reach
from services.poller.core.records import (
    HOSTS,
    QUALITY,
    HostRecord,
    QualityRecord,
    host_key,
    quality_key,
    read_record,
    router_key,
    said_key,
    session_key,
)
from services.poller.core.roster import Roster
from services.poller.core.router_records import SEEN
from services.poller.core.session_rows import TABLES
from services.poller.handlers.recall import Memory
from services.poller.handlers.routers import RouterWatcher
from services.poller.handlers.telling import Teller
from services.poller.handlers.upkeep import Upkeep
from services.poller.handlers.witnesses import Line
from services.poller.loop import Patrol
from services.poller.measuring import KnownQuality
from shared.contracts.ids import HostId, RouterId
from shared.contracts.inventory import Router
from shared.contracts.subjects import escape_token

_TOGETHER_S = 0.02  # changes that come within this are applied at once: an import of thousands is one change

log = structlog.get_logger(__name__)


class Duty:
    """Keeps what is watched equal to the roster."""

    def __init__(
        self,
        roster: Roster,
        patrol: Patrol,
        teller: Teller,
        memory: Memory,
        new_watcher: Callable[..., RouterWatcher],
        *,
        upkeep: Upkeep | None = None,
        seen_at: datetime | None = None,
    ) -> None:
        """`seen_at`: when somebody last looked at what is in the memory."""
        self._roster = roster
        self._patrol = patrol
        self._teller = teller
        self._memory = memory
        self._new_watcher = new_watcher
        self._watchers: dict[RouterId, tuple[RouterWatcher, asyncio.Task[None]]] = {}
        self._upkeep = upkeep
        self._seen_at = seen_at
        self._changed = asyncio.Event()
        self._forgotten: set[HostId] = set()
        self._forgotten_routers: set[RouterId] = set()
        self.ready = False

    def changed(self) -> None:
        """The roster is another one."""
        self._changed.set()

    def take_over(self, key: str, value: bytes) -> None:
        """Another poller told this key's state."""
        if key.startswith(HOSTS) and (record := read_record(HostRecord, value)):
            self._patrol.adopt(record.id, record.host_state())
        elif key.startswith(QUALITY) and (quality := read_record(QualityRecord, value)):
            self._patrol.measurements.adopt(quality.id, KnownQuality(quality.standing(), quality.days))
        elif key.startswith(SEEN):
            self._memory.note_seen(key, value)

    def lines(self, address: str) -> list[Line]:
        """The sessions that are open at an address, as far as we know."""
        return [
            Line(watcher.router, service, session.slot, session.account)
            for watcher, _ in self._watchers.values()
            for service, sessions in watcher.open_by_service().items()
            for session in sessions
            if session.address == address
        ]

    def sessions(self) -> dict[str, int]:
        """Open sessions by router id."""
        return {router_id: watcher.open_sessions for router_id, (watcher, _) in self._watchers.items()}

    def trouble(self, router_id: RouterId) -> str | None:
        """Why a router that is watched here cannot be asked; None: it is not watched here."""
        watched = self._watchers.get(router_id)
        return watched[0].trouble if watched else None

    @property
    def routers(self) -> tuple[int, int]:
        """How many routers are watched, and how many of them can be asked."""
        return len(self._watchers), sum(watcher.reachable for watcher, _ in self._watchers.values())

    @property
    def quiet_lease_tables(self) -> int:
        """How many routers have too many leases to tell one by one."""
        return sum(watcher.leases_quiet for watcher, _ in self._watchers.values())

    async def run(self) -> None:
        """Apply changes until cancelled; then stop every watcher."""
        try:
            while True:
                await self._changed.wait()
                await asyncio.sleep(_TOGETHER_S)
                self._changed.clear()
                self._apply_hosts()
                if not self.ready:
                    self._go_on_with_outages()
                if self._upkeep is not None:
                    self._upkeep.changed()
                await self._apply_routers()
                self.ready = True
        finally:
            await self._stop(list(self._watchers))

    def _apply_hosts(self) -> None:
        wanted = self._roster.watched_hosts()
        for host_id in [host_id for host_id in self._patrol.watches if host_id not in wanted]:
            watch = self._patrol.watches[host_id]
            self._patrol.drop(host_id)
            self._memory.hosts[host_id] = watch.state.remembered()  # it may be switched on again
            log.info("a host is watched no longer", host=host_id, name=watch.host.name)
        for host in wanted.values():
            remembered = self._memory.hosts.get(host.id, State())
            self._patrol.put(host, self._roster.policy_of(host), remembered, seen_at=self._seen_at)
        gone = self._memory.hosts.keys() - self._roster.hosts.keys()
        for host_id in gone - self._forgotten:
            self._teller.tell(host_key(host_id), None, None)
            self._teller.tell(quality_key(host_id), None, None)
        # Their numbers are kept here: should one come back, its transitions must not be counted from 1 again.
        self._forgotten = (self._forgotten - self._roster.hosts.keys()) | gone

    def _go_on_with_outages(self) -> None:
        """Outages of many hosts that were told and are not over; what is left of none of our hosts is others'."""
        for told in self._memory.outages:
            silent = {
                host_id
                for host_id, state in self._memory.hosts.items()
                if state.hard in FALLEN and state.outage_id == told.outage_id
            }
            ours = silent & self._patrol.watches.keys()
            if ours or not silent:
                self._patrol.court.go_on(told, ours)

    async def _apply_routers(self) -> None:
        wanted = self._roster.watched_routers()
        outdated = [key for key, (watcher, _) in self._watchers.items() if not _serves(watcher, wanted.get(key))]
        await self._stop(outdated)
        for router in wanted.values():
            if router.id not in self._watchers:
                self._start(router)
        known = {*self._memory.routers, *(router_id for router_id, _ in self._memory.sessions)}
        gone_routers = known - set(self._roster.routers)
        for router_id in gone_routers - self._forgotten_routers:
            self._forget(router_id)
        self._forgotten_routers = gone_routers

    def _start(self, router: Router) -> None:
        reach = self._memory.routers.get(router.id, Reach())
        sessions = {
            table.service: list(self._memory.sessions.get((router.id, table.service), {}).values()) for table in TABLES
        }
        watcher = self._new_watcher(router, reach, sessions, self._memory.seen_on(router.id))
        task = asyncio.create_task(watcher.run(), name=f"router {router.name}")
        task.add_done_callback(_say_crash)
        self._watchers[router.id] = watcher, task

    async def _stop(self, router_ids: list[RouterId]) -> None:
        """Stop watching; what was known is kept for when it is watched again."""
        stopped = [self._watchers.pop(router_id) for router_id in router_ids]
        for _, task in stopped:
            task.cancel()
        await asyncio.gather(*(task for _, task in stopped), return_exceptions=True)
        for watcher, _ in stopped:
            router_id = watcher.router.id
            self._memory.routers[router_id] = watcher.reach.remembered()
            for service, sessions in watcher.open_by_service().items():
                self._memory.sessions[router_id, service] = {session.slot: session for session in sessions}

    def _forget(self, router_id: RouterId) -> None:
        """The router is gone from the inventory: so are its state and its sessions, which nobody saw end."""
        self._teller.tell(router_key(router_id), None, None)
        self._teller.tell(said_key(router_id), None, None)
        for key in self._memory.seen.pop(escape_token(router_id), {}):
            self._teller.tell(key, None, None)
        for table in TABLES:
            for slot in self._memory.sessions.pop((router_id, table.service), {}):
                self._teller.tell(session_key(router_id, table.service, slot), None, None)


def _serves(watcher: RouterWatcher, wanted: Router | None) -> bool:
    """Whether the watcher may stay: nothing has changed, or nothing that needs another login."""
    return wanted is not None and (wanted == watcher.router or watcher.renew(wanted))


def _say_crash(task: asyncio.Task[None]) -> None:
    """A watcher ends by cancellation only; anything else is our bug and must not be silent."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("a router's watcher crashed", task=task.get_name(), exc_info=error)
