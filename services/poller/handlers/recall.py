"""Remember at the start: what was saved, corrected by what was told after it was saved last."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar, cast

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
    RouterRecord,
    SessionRecord,
    poller_key,
    read_record,
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
from shared.contracts.subjects import escape_token
from shared.contracts.vocabulary import Service

T = TypeVar("T")
Place = tuple[RouterId, Service]


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


async def recall(bus: Bus, bucket: Bucket, teller: Teller) -> Memory:
    """Read the memory. Raises Unreachable while the bus is away."""
    memory = Memory()
    async with _closing(bucket.watch()) as entries:
        async for entry in entries:
            if entry is None:
                break
            if isinstance(entry, Entry):
                teller.knows(entry.key, entry.revision)
                _remember(memory, entry)
    for kinds, correct in _CORRECTIONS:
        for message in await _last_told(bus, *kinds):
            correct(memory, message)
    memory.outages = await _open_outages(bus)
    opened = {_account(event): event for event in await _received(bus, SessionOpened)}
    for event in await _received(bus, SessionClosed):
        if event.sequence > opened.get(_account(event), event).sequence:
            opened.pop(_account(event), None)
    for event in opened.values():
        _correct_session(memory, event.message)
    return memory


async def _open_outages(bus: Bus) -> tuple[OutageBegan, ...]:
    ended = {_account(event) for event in await _received(bus, OutageEnded)}
    began = [event for event in await _received(bus, OutageBegan) if _account(event) not in ended]
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


def _correct_host(memory: Memory, event: Message) -> None:
    if isinstance(event, HostTransition):
        known = memory.hosts.get(event.host_id, State())
        if event.transition > known.transition:
            memory.hosts[event.host_id] = told_state(event, known)


def _correct_observed(memory: Memory, event: Message) -> None:
    """In the order of the stream: of an observation and its end, the later one holds."""
    if isinstance(event, HostObservation) and event.host_id in memory.hosts:
        memory.hosts[event.host_id] = observed_state(event, memory.hosts[event.host_id])


def _correct_quality(memory: Memory, event: Message) -> None:
    if isinstance(event, HostDegraded | HostRestored):
        known = memory.quality.get(event.host_id, KnownQuality())
        if event.mark > known.standing.number:
            memory.quality[event.host_id] = KnownQuality(told_standing(event, known.standing), known.days)


def _correct_router(memory: Memory, event: Message) -> None:
    if isinstance(event, RouterReachable | RouterUnreachable):
        known = memory.routers.get(event.router_id, Reach())
        if event.transition > known.transition:
            up = isinstance(event, RouterReachable)
            hard = Reachability.REACHABLE if up else Reachability.UNREACHABLE
            memory.routers[event.router_id] = Reach(hard, event.transition, event.at)


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
    return [received.message for received in await _received(bus, *kinds)]


async def _received(bus: Bus, *kinds: type[Message]) -> list[Received]:
    filters = [kind.filter() for kind in kinds]
    async with _closing(bus.read(EVENTS, *filters, last_per_subject=True, follow=False)) as events:
        return [received async for received in events if received is not None]


def _closing(iterator: AsyncIterator[T]) -> aclosing[AsyncGenerator[T, None]]:
    """The bus' iterators are generators; leaving one early must end its reader on the server, too."""
    return aclosing(cast("AsyncGenerator[T, None]", iterator))


_CORRECTIONS: tuple[tuple[tuple[type[Message], ...], Callable[[Memory, Message], None]], ...] = (
    ((HostDown, HostUp, HostUnknown, HostUnreachable), _correct_host),
    ((HostSilent, HostHeard, HostFlapping, HostSteady), _correct_observed),
    ((HostDegraded, HostRestored), _correct_quality),
    ((RouterReachable, RouterUnreachable), _correct_router),
)
"""What was told last corrects what was saved: in this order, for an observation is about a host that is known."""
