"""Remember: what was saved, corrected by what was told after it was saved last.

Hosts and routers are few words each: every poller follows all of them from its start, so that whoever takes a part over
knows at once how it is there. Sessions and what was seen on routers are many: they are read for the routers that are
taken over, when they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeVar, cast

from services.poller.core.judge import State
from services.poller.core.quality_events import told_standing
from services.poller.core.reach import Reach, Reachability
from services.poller.core.records import (
    HOSTS,
    MAINTENANCES,
    POLLERS,
    QUALITY,
    ROUTERS,
    SESSIONS,
    HostRecord,
    MaintenanceRecord,
    PollerRecord,
    QualityRecord,
    Record,
    RouterRecord,
    SessionRecord,
    poller_key,
    read_record,
    sessions_of,
)
from services.poller.core.router_records import SEEN, router_token, seen_of
from services.poller.core.sessions import Session
from services.poller.core.wording import observed_state, told_state
from services.poller.handlers.telling import Teller
from services.poller.measuring import KnownQuality
from shared.bus.ports import Bucket, Bus, Entry, Received
from shared.contracts.events import (
    HostDegraded,
    HostDown,
    HostFlapping,
    HostHeard,
    HostObservation,
    HostRestored,
    HostSilent,
    HostSteady,
    HostTransition,
    HostUnknown,
    HostUnreachable,
    HostUp,
    OutageBegan,
    OutageEnded,
    RouterReachable,
    RouterUnreachable,
    SessionClosed,
    SessionOpened,
)
from shared.contracts.ids import HostId, MaintenanceId, RouterId
from shared.contracts.message import Message
from shared.contracts.streams import EVENTS
from shared.contracts.subjects import Kind, escape_token, subject
from shared.contracts.vocabulary import Service

T = TypeVar("T")
Place = tuple[RouterId, Service]

HOST_TRANSITIONS: Final = (HostDown, HostUp, HostUnknown, HostUnreachable)
ROUTER_TRANSITIONS: Final = (RouterReachable, RouterUnreachable)
_ONE_BY_ONE: Final = 32  # more routers than this: one look at everything is quicker
_AT_ONCE: Final = 8


@dataclass
class Memory:
    """What the poller knew when it last ran."""

    hosts: dict[HostId, State] = field(default_factory=dict)
    routers: dict[RouterId, Reach] = field(default_factory=dict)
    sessions: dict[Place, dict[str, Session]] = field(default_factory=dict)
    quality: dict[HostId, KnownQuality] = field(default_factory=dict)
    pollers: dict[str, PollerRecord] = field(default_factory=dict)  # by key
    maintenances: dict[MaintenanceId, datetime] = field(default_factory=dict)  # when flexible works began
    outages: tuple[OutageBegan, ...] = ()  # that are not over

    def seen_at(self, instance: str) -> datetime | None:
        """When this poller last looked; if it never did, when any did."""
        own = self.pollers.get(poller_key(instance))
        if own is not None:
            return own.seen_at
        return max((record.seen_at for record in self.pollers.values()), default=None)

    seen: dict[str, dict[str, bytes]] = field(default_factory=dict)
    """By escaped router id: what lay below `seen.<router>.`, by key. Watchers keep theirs up to date."""

    def seen_on(self, router_id: RouterId) -> dict[str, bytes]:
        """The entries of one router."""
        return self.seen.setdefault(escape_token(router_id), {})

    def note_seen(self, key: str, value: bytes) -> None:
        """Take an entry over that was read, or that another poller wrote."""
        self.seen.setdefault(router_token(key), {})[key] = value

    def take(self, record: Record | None) -> HostId | None:
        """Take a record over if it is news; answers the host if it is one."""
        match record:
            case HostRecord():
                if record.order >= self.hosts.get(record.id, State()).transition:
                    self.hosts[record.id] = record.host_state()
                return record.id
            case RouterRecord():
                if record.order >= self.routers.get(record.id, Reach()).transition:
                    self.routers[record.id] = record.reach()
            case SessionRecord():
                self.sessions.setdefault((record.router_id, record.service), {})[record.slot] = record.session()
        return None

    def correct(self, event: Message) -> HostId | None:
        """Take over what was told if it is news; answers the host if it is one."""
        match event:
            case HostTransition():
                known = self.hosts.get(event.host_id, State())
                if event.transition > known.transition:
                    self.hosts[event.host_id] = told_state(event, known)
                    return event.host_id
            case RouterReachable() | RouterUnreachable():
                if event.transition > self.routers.get(event.router_id, Reach()).transition:
                    up = isinstance(event, RouterReachable)
                    hard = Reachability.REACHABLE if up else Reachability.UNREACHABLE
                    self.routers[event.router_id] = Reach(hard, event.transition, event.at)
        return None


async def recall(bus: Bus, bucket: Bucket, teller: Teller) -> Memory:
    """Read everything. Raises Unreachable while the bus is away."""
    memory = Memory()
    await _read_saved(bucket, "", memory, teller)
    for message in await _last_told(bus, *HOST_TRANSITIONS, *ROUTER_TRANSITIONS):
        memory.correct(message)
    for message in await _last_told(bus, HostSilent, HostHeard, HostFlapping, HostSteady):
        _correct_observed(memory, message)
    for message in await _last_told(bus, HostDegraded, HostRestored):
        _correct_quality(memory, message)
    memory.outages = await _open_outages(bus)
    await _correct_sessions(bus, memory, SessionOpened.filter(), SessionClosed.filter())
    return memory


async def recall_sessions(
    bus: Bus, bucket: Bucket, teller: Teller, memory: Memory, routers: Collection[RouterId]
) -> None:
    """Read the sessions of these routers and what was seen there, as left by their last holder. Raises Unreachable."""
    for place in [place for place in memory.sessions if place[0] in routers]:
        del memory.sessions[place]
    for router_id in routers:
        memory.seen.pop(escape_token(router_id), None)
    if len(routers) > _ONE_BY_ONE:
        found = Memory()
        for prefix in (SESSIONS, SEEN):
            await _read_saved(bucket, prefix, found, teller)
        await _correct_sessions(bus, found, SessionOpened.filter(), SessionClosed.filter())
        memory.sessions |= {place: rows for place, rows in found.sessions.items() if place[0] in routers}
        tokens = {escape_token(router_id) for router_id in routers}
        memory.seen |= {token: entries for token, entries in found.seen.items() if token in tokens}
        return
    turn = asyncio.Semaphore(_AT_ONCE)

    async def one(router_id: RouterId) -> None:
        async with turn:
            for prefix in (sessions_of(router_id), f"{SEEN}{escape_token(router_id)}."):
                await _read_saved(bucket, prefix, memory, teller)
            opened, closed = (
                f"{subject(Kind.EVENT, kind.NAME)}.{escape_token(router_id)}.>"
                for kind in (SessionOpened, SessionClosed)
            )
            await _correct_sessions(bus, memory, opened, closed)

    await asyncio.gather(*(one(router_id) for router_id in routers))


class SavedCopy:
    """The bucket's hosts or routers as the memory has them, kept up to date; for `shared.bus.following`."""

    def __init__(self, memory: Memory, on_host: Callable[[HostId], None]) -> None:
        self._memory = memory
        self._on_host = on_host

    def keys(self) -> Collection[str]:
        """Nothing is ever forgotten here: a number that was told must not be told again."""
        return ()

    async def put(self, key: str, value: bytes) -> None:
        """Somebody saved this."""
        if key.startswith(QUALITY):
            if quality := read_record(QualityRecord, value):
                self._memory.quality[quality.id] = KnownQuality(quality.standing(), quality.days)
            return
        kind = HostRecord if key.startswith(HOSTS) else RouterRecord
        host_id = self._memory.take(read_record(kind, value))
        if host_id is not None:
            self._on_host(host_id)

    async def remove(self, key: str) -> None:
        """The host or router is gone from the inventory."""

    async def caught_up(self) -> None:
        """All of it is known."""


async def follow_told(bus: Bus, memory: Memory, on_host: Callable[[HostId], None]) -> None:
    """Follow what is told of hosts and routers, by whomever, until cancelled."""
    filters = [kind.filter() for kind in (*HOST_TRANSITIONS, *ROUTER_TRANSITIONS)]
    async for received in bus.read(EVENTS, *filters, last_per_subject=True):
        if received is not None and (host_id := memory.correct(received.message)) is not None:
            on_host(host_id)


async def _read_saved(bucket: Bucket, prefix: str, memory: Memory, teller: Teller) -> None:
    async with _closing(bucket.watch(prefix)) as entries:
        async for entry in entries:
            if entry is None:
                break
            if isinstance(entry, Entry):
                teller.knows(entry.key, entry.revision)
                _remember(memory, entry)


async def _correct_sessions(bus: Bus, memory: Memory, opened_filter: str, closed_filter: str) -> None:
    opened = {_account(event): event for event in await _received(bus, opened_filter)}
    for event in await _received(bus, closed_filter):
        if event.sequence > opened.get(_account(event), event).sequence:
            opened.pop(_account(event), None)
    for event in opened.values():
        _correct_session(memory, event.message)


async def _open_outages(bus: Bus) -> tuple[OutageBegan, ...]:
    ended = {_account(event) for event in await _received(bus, OutageEnded.filter())}
    began = [event for event in await _received(bus, OutageBegan.filter()) if _account(event) not in ended]
    return tuple(event.message for event in began if isinstance(event.message, OutageBegan))


async def recall_seen(bucket: Bucket, teller: Teller, memory: Memory, router_id: RouterId) -> None:
    """Read what was seen on one router anew, as its last watcher left it. Raises Unreachable."""
    entries = memory.seen_on(router_id)
    entries.clear()
    async with _closing(bucket.watch(seen_of(router_id))) as found:
        async for entry in found:
            if entry is None:
                break
            if isinstance(entry, Entry):
                teller.knows(entry.key, entry.revision)
                entries[entry.key] = entry.value


def _remember(memory: Memory, entry: Entry) -> None:
    key, value = entry.key, entry.value
    if key.startswith(HOSTS):
        if host := read_record(HostRecord, value):
            memory.hosts[host.id] = host.host_state()
    elif key.startswith(QUALITY):
        if quality := read_record(QualityRecord, value):
            memory.quality[quality.id] = KnownQuality(quality.standing(), quality.days)
    elif key.startswith(ROUTERS):
        if router := read_record(RouterRecord, value):
            memory.routers[router.id] = router.reach()
    elif key.startswith(SEEN):
        memory.note_seen(key, value)
    elif key.startswith(SESSIONS):
        if session := read_record(SessionRecord, value):
            memory.sessions.setdefault((session.router_id, session.service), {})[session.slot] = session.session()
    else:
        _remember_ourselves(memory, key, value)


def _remember_ourselves(memory: Memory, key: str, value: bytes) -> None:
    if key.startswith(POLLERS) and (poller := read_record(PollerRecord, value)):
        memory.pollers[key] = poller
    if key.startswith(MAINTENANCES) and (work := read_record(MaintenanceRecord, value)):
        memory.maintenances[work.id] = work.began_at


def _correct_observed(memory: Memory, event: Message) -> None:
    """In the order of the stream: of an observation and its end, the later one holds."""
    if isinstance(event, HostObservation) and event.host_id in memory.hosts:
        memory.hosts[event.host_id] = observed_state(event, memory.hosts[event.host_id])


def _correct_quality(memory: Memory, event: Message) -> None:
    if isinstance(event, HostDegraded | HostRestored):
        known = memory.quality.get(event.host_id, KnownQuality())
        if event.mark > known.standing.number:
            memory.quality[event.host_id] = KnownQuality(told_standing(event, known.standing), known.days)


def _correct_session(memory: Memory, event: Message) -> None:
    """An opening that was told and never closed. If its slot is taken, the memory is newer."""
    if not isinstance(event, SessionOpened):
        return
    slot, _, number = event.session_id.removeprefix(f"{event.router_id}-{event.service}-").rpartition("-")
    if slot and number.isdigit():
        session = Session(slot, int(number), event.account, event.at, event.address, event.mac)
        memory.sessions.setdefault((event.router_id, event.service), {}).setdefault(slot, session)


def _account(received: Received) -> tuple[str, ...]:
    return received.message.scope()


async def _last_told(bus: Bus, *kinds: type[Message]) -> list[Message]:
    return [received.message for received in await _received(bus, *(kind.filter() for kind in kinds))]


async def _received(bus: Bus, *filters: str) -> list[Received]:
    async with _closing(bus.read(EVENTS, *filters, last_per_subject=True, follow=False)) as events:
        return [received async for received in events if received is not None]


def _closing(iterator: AsyncIterator[T]) -> aclosing[AsyncGenerator[T, None]]:
    """The bus' iterators are generators; leaving one early must end its reader on the server, too."""
    return aclosing(cast("AsyncGenerator[T, None]", iterator))
