"""A poller at a far site: it starts from its spool while it is cut off, and tells afterwards what nobody was told."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Final

import structlog

from services.poller.core.judge import State
from services.poller.core.reach import Reach
from services.poller.core.records import Record, RouterRecord
from services.poller.core.roster import Roster
from services.poller.core.shards import Table
from services.poller.core.share_records import TABLE_KEY, read_table
from services.poller.handlers.recall import Memory, recall
from services.poller.handlers.telling import Teller
from services.poller.handlers.tenure import Tenure
from services.poller.handlers.waiting_facts import Journal, NoJournal, Spool, Told
from shared.bus.ports import Bucket, Bus
from shared.clock import Clock
from shared.contracts.events import HostTransition, RouterReachable, RouterUnreachable
from shared.contracts.streams import BucketSpec
from shared.errors import Invalid, Temporary
from shared.lifecycle import Loop

REACH_WITHIN_S: Final = 8.0  # after this a start goes on without the bus
_INVENTORY_AFTER_S: Final = 1.0  # changes of the inventory that come together are written once

Opened = Callable[[], Awaitable[Bucket]]

log = structlog.get_logger(__name__)


def new_name(instance: str) -> str:
    """A name for this life of the poller: two processes of one name would believe each other's lease."""
    return f"{instance}.{secrets.token_hex(3)}"


class NearSite:
    """A poller close to the bus: it does not start without it, and its successor sees what it could not tell."""

    name: str

    def __init__(self, instance: str) -> None:
        self.name = new_name(instance)
        self.journal: Journal = NoJournal()

    async def bucket(self, bus: Bus, spec: BucketSpec) -> Bucket:
        """Open it now. Raises Unreachable while the bus is away."""
        return await bus.bucket(spec)

    async def remember(self, bus: Bus, state: Bucket, _shards: Bucket, teller: Teller) -> Memory:
        """What the bus knows."""
        return await recall(bus, state, teller)

    def furnish(self, roster: Roster, changed: Callable[[], None]) -> None:
        """There is nothing but what the bus brings."""

    def resume(self, tenure: Tenure) -> None:
        """Every life begins with nothing in its hands."""

    def loops(self, _roster: Roster) -> dict[str, Loop]:
        """None of its own."""
        return {}

    def knows(self, key: str, record: Record) -> None:
        """The bus remembers that."""

    def away(self, since: float) -> None:
        """Nothing is written down."""

    def home(self) -> None:
        """Nothing was."""

    def table(self, table: Table) -> None:
        """The bus remembers that."""

    def inventory_changed(self) -> None:
        """The bus remembers that."""


class FarSite(NearSite):
    """What the spool adds; `later` makes a bucket that opens itself.

    Before the loops start: `remember`, `furnish`, `resume`, in this order.
    """

    def __init__(self, spool: Spool, later: Callable[[Opened], Bucket], clock: Clock) -> None:
        self.name = spool.name
        self.spool = spool
        self.journal = spool
        self._later = later
        self._clock = clock
        self._ours = True
        self._reached = False
        self._inventory_changed = asyncio.Event()

    async def bucket(self, bus: Bus, spec: BucketSpec) -> Bucket:
        """Open it when it is needed."""
        return self._later(partial(bus.bucket, spec))

    async def remember(self, bus: Bus, state: Bucket, shards: Bucket, teller: Teller) -> Memory:
        """What the bus knows, corrected by what only the spool knows; the latter alone while the bus is away."""
        memory = Memory()
        before = self.spool.before
        try:
            async with asyncio.timeout(REACH_WITHIN_S):
                memory = await recall(bus, state, teller)
                self._ours = await self._still_ours(shards)
                self._reached = True
        except (Temporary, TimeoutError) as problem:
            reason = str(problem) or "no answer in time"
            log.warning("the bus is away: starting with what is in the spool", reason=reason, facts=len(before.waiting))
        if not self._ours:
            log.warning("another poller has taken over meanwhile: the spool is void", facts=len(before.waiting))
        for told in before.waiting:
            if self._ours and not _was_told(told, memory):
                teller.again(told)
            else:
                self.spool.told(told)
        if self._ours:
            _correct(memory, list(before.records.values()))
        return memory

    async def _still_ours(self, shards: Bucket) -> bool:
        mine = self.spool.before.table.held_by(self.spool.name)
        entry = await shards.get(TABLE_KEY)
        held = (read_table(entry.value) if entry else Table()).held_by(self.spool.name)
        return all(held.get(part) == epoch for part, epoch in mine.items())

    def furnish(self, roster: Roster, changed: Callable[[], None]) -> None:
        """The last known inventory, if the present one cannot be had."""
        if self._reached or not self.spool.before.inventory:
            return
        for key, value in self.spool.before.inventory.items():
            try:
                roster.put(key, value)
            except Invalid as wrong:
                log.warning("an entry of the spool's inventory is left out", key=key, reason=str(wrong))
        changed()

    def resume(self, tenure: Tenure) -> None:
        """Hold what we held, until the bus says otherwise."""
        before = self.spool.before
        if not (self._ours and before.table.held_by(self.spool.name)):
            return
        if before.away_since is None and not self._reached:
            self.away(self._clock.monotonic())
        away = self._clock.now() - before.away_since if before.away_since else timedelta()
        tenure.assume(before.table, away_since=self._clock.monotonic() - away.total_seconds())

    def loops(self, roster: Roster) -> dict[str, Loop]:
        """The spool is brought to the disk, and the inventory into the spool."""
        return {"spool": self.spool.sync, "inventory copy": partial(self._keep_inventory, roster)}

    # ── while it runs ───────────────────────────────────────────────────────────────────────────────────────────────

    def knows(self, key: str, record: Record) -> None:
        """This is watched from now on, and this is known of it."""
        self.spool.knows(key, record)

    def away(self, since: float) -> None:
        """We are cut off since then (monotonic seconds)."""
        self.spool.away(self._clock.now() - timedelta(seconds=self._clock.monotonic() - since))

    def home(self) -> None:
        """All that was late has been told."""
        self.spool.away(None)

    def table(self, table: Table) -> None:
        """Who holds what; only our own part matters here."""
        mine = {part: hold for part, hold in table.holds.items() if hold.holder == self.spool.name}
        self.spool.holds(Table(holds=mine, pins=table.pins))

    def inventory_changed(self) -> None:
        """The roster is another one."""
        self._inventory_changed.set()

    async def _keep_inventory(self, roster: Roster) -> None:
        """Write the inventory down whenever it has changed, until cancelled."""
        while True:
            await self._inventory_changed.wait()
            await asyncio.sleep(_INVENTORY_AFTER_S)
            self._inventory_changed.clear()
            entries = {key: entry.model_dump_json().encode() for key, entry in roster.entries.items()}
            self.spool.keep_inventory(entries)


def _was_told(told: Told, memory: Memory) -> bool:
    """Whether the stream knows this fact: we were killed between telling it and noting so."""
    match told.event:
        case HostTransition() as event:
            return event.transition <= memory.hosts.get(event.host_id, State()).transition
        case RouterReachable() | RouterUnreachable() as event:
            return event.transition <= memory.routers.get(event.router_id, Reach()).transition
    return False


def _correct(memory: Memory, records: list[Record]) -> None:
    """What we saw ourselves is newer, also where it says that a session is no more."""
    routers = {record.id for record in records if isinstance(record, RouterRecord)}
    for place in [place for place in memory.sessions if place[0] in routers]:
        del memory.sessions[place]
    for record in records:
        memory.take(record)
