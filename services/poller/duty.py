"""What the inventory says is to be watched and is ours, is watched: hosts by the patrol, routers by a watcher each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime

import structlog

from services.poller.core.judge import FALLEN, State
from services.poller.core.reach import Reach
from services.poller.core.records import (
    HOSTS,
    QUALITY,
    HostRecord,
    QualityRecord,
    Record,
    RouterRecord,
    SessionRecord,
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
from services.poller.core.shards import Part
from services.poller.handlers.claims import Claim
from services.poller.handlers.recall import Memory
from services.poller.handlers.routers import RouterWatcher
from services.poller.handlers.telling import Teller
from services.poller.handlers.upkeep import Upkeep
from services.poller.handlers.witnesses import Line
from services.poller.loop import Patrol
from services.poller.measuring import KnownQuality
from services.poller.sharing import AllMine, Sharing
from shared.contracts.ids import HostId, RouterId, SiteId
from shared.contracts.inventory import Host, Router
from shared.contracts.subjects import escape_token, unescape_token

_TOGETHER_S = 0.02  # changes that come within this are applied at once: an import of thousands is one change
_DRAIN_S = 4.0  # what could not be told in this time is left to the next holder, who looks for itself
_SHARED_KINDS = frozenset({"host", "router", "session", "seen", "said"})

log = structlog.get_logger(__name__)

RecallSessions = Callable[[Collection[RouterId]], Awaitable[None]]


async def _nothing_to_recall(_routers: Collection[RouterId]) -> None:
    """The memory is whole."""


class Duty:
    """Keeps what is watched equal to the part of the roster that is ours."""

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
        sharing: Sharing | None = None,
        recall_sessions: RecallSessions = _nothing_to_recall,
        keeps: Callable[[str, Record], None] = lambda _key, _record: None,
    ) -> None:
        """`seen_at`: when somebody last looked at what is in the memory. `keeps` hears what is known of whatever is
        watched from now on."""
        self._roster = roster
        self._patrol = patrol
        self._teller = teller
        self._memory = memory
        self._new_watcher = new_watcher
        self._sharing: Sharing = sharing or AllMine()
        self._recall_sessions = recall_sessions
        self._keeps = keeps
        self._watchers: dict[RouterId, tuple[RouterWatcher, asyncio.Task[None]]] = {}
        self._upkeep = upkeep
        self._seen_at = seen_at
        self._changed = asyncio.Event()
        self._applied = asyncio.Condition()
        self._rounds = 0
        self._lost: set[Part] = set()
        self._sites: dict[str, SiteId] = {}
        self._forgotten: set[HostId] = set()
        self._forgotten_routers: set[RouterId] = set()
        self._whole = asyncio.Event()

    @property
    def ready(self) -> bool:
        """Whether the inventory is known, and what of it is ours."""
        return self._rounds > 0 and self._whole.is_set() and self._sharing.settled

    def share(self, sharing: Sharing) -> None:
        """From now on this says what is ours."""
        self._sharing = sharing

    def changed(self) -> None:
        """The roster is another one."""
        self._whole.set()
        self._changed.set()

    def take_over(self, key: str, value: bytes) -> None:
        """Another poller told this key's state."""
        if key.startswith(HOSTS) and (record := read_record(HostRecord, value)):
            self._patrol.adopt(record.id, record.host_state())
        elif key.startswith(QUALITY) and (quality := read_record(QualityRecord, value)):
            self._patrol.measurements.adopt(quality.id, KnownQuality(quality.standing(), quality.days))
        elif key.startswith(SEEN):
            self._memory.note_seen(key, value)

    def heard(self, host_id: HostId) -> None:
        """Something was told of this host, mostly by ourselves. If it is news, another poller was late with it."""
        watch = self._patrol.watches.get(host_id)
        known = self._memory.hosts.get(host_id)
        if watch is not None and known is not None and known.transition > watch.state.transition:
            log.warning("another poller told this", host=host_id, transition=known.transition)
            self._patrol.adopt(host_id, known)

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

    # ── what is ours ────────────────────────────────────────────────────────────────────────────────────────────────

    def claim_of(self, key: str) -> Claim | None:
        """In whose name a fact under this key is told; None for what is no host's and no router's."""
        kind, _, rest = key.partition(".")
        token = rest.partition(".")[0]
        site_id = self._site_of(token)
        if site_id is None and kind not in _SHARED_KINDS:
            return None
        part = self._sharing.part(token, site_id)
        return self._sharing.claim(part) or Claim(part, -1)  # never ours: dropped when it is to be told

    async def occupy(self, parts: frozenset[Part]) -> None:
        """See `handlers.tenure.Holder`. What another may have told of sessions meanwhile is read first."""
        await self._whole.wait()
        routers = {
            router.id
            for router in self._roster.watched_routers().values()
            if self._part(router.id, router.site_id) in parts and router.id not in self._watchers
        }
        if routers:
            await self._recall_sessions(routers)
        self._changed.set()

    async def vacate(self, parts: frozenset[Part]) -> None:
        """See `handlers.tenure.Holder`."""
        await self._apply_now()
        try:
            async with asyncio.timeout(_DRAIN_S):
                await self._teller.drained(parts)
        except TimeoutError:
            log.warning("facts are left to the next holder", waiting=self._teller.waiting)

    def lose(self, parts: frozenset[Part]) -> None:
        """See `handlers.tenure.Holder`. What we believed last is not what was told last."""
        self._lost |= parts
        self._changed.set()

    def redrawn(self) -> None:
        """See `handlers.tenure.Holder`."""
        self._changed.set()

    def _part(self, object_id: str, site_id: SiteId) -> Part:
        return self._sharing.part(escape_token(object_id), site_id)

    def _mine(self, object_id: str, site_id: SiteId) -> bool:
        token = escape_token(object_id)
        self._sites[token] = site_id
        return self._sharing.holds(self._sharing.part(token, site_id))

    def _site_of(self, token: str) -> SiteId | None:
        known = self._sites.get(token)
        if known is not None:
            return known
        object_id = unescape_token(token)
        entry = self._roster.hosts.get(HostId(object_id)) or self._roster.routers.get(RouterId(object_id))
        return entry.site_id if entry else None

    # ── applying changes ────────────────────────────────────────────────────────────────────────────────────────────

    async def run(self) -> None:
        """Apply changes until cancelled; then stop every watcher."""
        try:
            while True:
                await self._changed.wait()
                await asyncio.sleep(_TOGETHER_S)
                self._changed.clear()
                await self._apply()
        finally:
            await self._stop(list(self._watchers))

    async def _apply(self) -> None:
        lost, self._lost = self._lost, set()
        if self._whole.is_set():
            self._apply_hosts(lost)
            self._go_on_with_outages()
            if self._upkeep is not None:
                self._upkeep.changed()
            await self._apply_routers(lost)
        async with self._applied:
            self._rounds += 1
            self._applied.notify_all()

    async def _apply_now(self) -> None:
        """Wait until what is ours by now is what is watched. A round that has begun already may not know it."""
        async with self._applied:
            wanted = self._rounds + 2
            while self._rounds < wanted:
                self._changed.set()
                await self._applied.wait()

    def _apply_hosts(self, lost: Collection[Part]) -> None:
        known = self._roster.watched_hosts()
        mine = {key: host for key, host in known.items() if self._mine(key, host.site_id)}
        wanted = mine | _parents(mine, known)
        for host_id in [host_id for host_id in self._patrol.watches if host_id not in wanted]:
            self._drop(host_id, lost)
        for host in wanted.values():
            self._watch(host, tells=host.id in mine, anew=self._part(host.id, host.site_id) in lost)
        gone = self._memory.hosts.keys() - self._roster.hosts.keys()
        for host_id in gone - self._forgotten:
            if self._sharing.holds(self._place(host_id)):
                self._teller.tell(host_key(host_id), None, None)
                self._teller.tell(quality_key(host_id), None, None)
        # Their numbers are kept here: should one come back, its transitions must not be counted from 1 again.
        self._forgotten = (self._forgotten - self._roster.hosts.keys()) | gone

    def _watch(self, host: Host, *, tells: bool, anew: bool) -> None:
        """Watch a host; a parent that is another poller's silently, for the sake of what hangs on it."""
        state = self._memory.hosts.get(host.id, State())
        watch = self._patrol.watches.get(host.id)
        if tells and (watch is None or not watch.tells) and state.transition:
            self._keeps(host_key(host.id), HostRecord.of(host.id, state))
        if watch is not None and watch.tells and (anew or not tells):
            self._drop(host.id, self._parts_lost_by(host, anew=anew))
        self._patrol.put(host, self._roster.policy_of(host), state, tells=tells, seen_at=self._seen_at)

    def _parts_lost_by(self, host: Host, *, anew: bool) -> Collection[Part]:
        return {self._part(host.id, host.site_id)} if anew else ()

    def _drop(self, host_id: HostId, lost: Collection[Part]) -> None:
        watch = self._patrol.watches[host_id]
        self._patrol.drop(host_id)
        if watch.tells and self._part(host_id, watch.host.site_id) not in lost:
            self._memory.hosts[host_id] = watch.state.remembered()  # it may be switched on again
        log.debug("a host is watched no longer", host=host_id, name=watch.host.name)

    def _go_on_with_outages(self) -> None:
        """Outages of many hosts that were told and are not over, once whose hosts they are is known."""
        if not self._sharing.settled:
            return
        outages, self._memory.outages = self._memory.outages, ()
        for told in outages:
            silent = {
                host_id
                for host_id, state in self._memory.hosts.items()
                if state.hard in FALLEN and state.outage_id == told.outage_id
            }
            ours = {host_id for host_id in silent & self._patrol.watches.keys() if self._patrol.watches[host_id].tells}
            if ours or not silent:
                self._patrol.court.go_on(told, ours)

    def _place(self, object_id: str) -> Part:
        """The part of something that may be gone from the inventory."""
        token = escape_token(object_id)
        return self._sharing.part(token, self._site_of(token))

    async def _apply_routers(self, lost: Collection[Part]) -> None:
        wanted = {key: one for key, one in self._roster.watched_routers().items() if self._mine(key, one.site_id)}
        outdated = [key for key, (watcher, _) in self._watchers.items() if not _serves(watcher, wanted.get(key))]
        await self._stop(outdated, lost)
        for router in wanted.values():
            if router.id not in self._watchers:
                self._start(router)
        known = {*self._memory.routers, *(router_id for router_id, _ in self._memory.sessions)}
        gone_routers = known - set(self._roster.routers)
        for router_id in gone_routers - self._forgotten_routers:
            if self._sharing.holds(self._place(router_id)):
                self._forget(router_id)
        self._forgotten_routers = gone_routers

    def _start(self, router: Router) -> None:
        reach = self._memory.routers.get(router.id, Reach())
        sessions = {
            table.service: list(self._memory.sessions.get((router.id, table.service), {}).values()) for table in TABLES
        }
        self._keeps(router_key(router.id), RouterRecord.of(router.id, reach))
        for service, rows in sessions.items():
            for row in rows:
                self._keeps(session_key(router.id, service, row.slot), SessionRecord.of(router.id, service, row))
        watcher = self._new_watcher(router, reach, sessions, self._memory.seen_on(router.id))
        task = asyncio.create_task(watcher.run(), name=f"router {router.name}")
        task.add_done_callback(_say_crash)
        self._watchers[router.id] = watcher, task

    async def _stop(self, router_ids: list[RouterId], lost: Collection[Part] = ()) -> None:
        """Stop watching; what was known is kept for when it is watched again, unless another knows better."""
        stopped = [self._watchers.pop(router_id) for router_id in router_ids]
        for _, task in stopped:
            task.cancel()
        await asyncio.gather(*(task for _, task in stopped), return_exceptions=True)
        for watcher, _ in stopped:
            router_id = watcher.router.id
            if self._part(router_id, watcher.router.site_id) in lost:
                continue
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


def _parents(mine: Mapping[HostId, Host], known: Mapping[HostId, Host]) -> dict[HostId, Host]:
    """Everything that hosts of ours hang on, however far up."""
    found: dict[HostId, Host] = {}
    ahead = list(mine.values())
    while ahead:
        for parent in {parent for group in ahead.pop().parents for parent in group} - found.keys():
            if parent in known:
                found[parent] = known[parent]
                ahead.append(known[parent])
    return found


def _serves(watcher: RouterWatcher, wanted: Router | None) -> bool:
    """Whether the watcher may stay: nothing has changed, or nothing that needs another login."""
    return wanted is not None and (wanted == watcher.router or watcher.renew(wanted))


def _say_crash(task: asyncio.Task[None]) -> None:
    """A watcher ends by cancellation only; anything else is our bug and must not be silent."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("a router's watcher crashed", task=task.get_name(), exc_info=error)
