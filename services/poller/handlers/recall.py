"""Remember: what was saved, corrected by what was told after it was saved last.

Hosts and routers are few words each: every poller follows all of them from its start, so that whoever takes a part over
knows at once how it is there. Sessions are many: they are read for the routers that are taken over, when they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final, TypeVar, cast

from services.poller.core.judge import State
from services.poller.core.reach import Reach, Reachability
from services.poller.core.records import (
    HOSTS,
    ROUTERS,
    SESSIONS,
    HostRecord,
    Record,
    RouterRecord,
    SessionRecord,
    read_record,
    sessions_of,
)
from services.poller.core.sessions import Session
from services.poller.core.wording import told_state
from services.poller.handlers.telling import Teller
from shared.bus.ports import Bucket, Bus, Entry, Received
from shared.contracts.events import (
    HostDown,
    HostTransition,
    HostUnknown,
    HostUnreachable,
    HostUp,
    RouterReachable,
    RouterUnreachable,
    SessionClosed,
    SessionOpened,
)
from shared.contracts.ids import HostId, RouterId
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
    """What is known of everything that is or was watched, by whomever."""

    hosts: dict[HostId, State] = field(default_factory=dict)
    routers: dict[RouterId, Reach] = field(default_factory=dict)
    sessions: dict[Place, dict[str, Session]] = field(default_factory=dict)

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
            case SessionOpened():
                self._open(event)
        return None

    def _open(self, event: SessionOpened) -> None:
        """An opening that was told and never closed. If its slot is taken, what was saved is newer."""
        slot, _, number = event.session_id.removeprefix(f"{event.router_id}-{event.service}-").rpartition("-")
        if slot and number.isdigit():
            session = Session(slot, int(number), event.account, event.at, event.address, event.mac)
            self.sessions.setdefault((event.router_id, event.service), {}).setdefault(slot, session)


async def recall(bus: Bus, bucket: Bucket, teller: Teller) -> Memory:
    """Read everything. Raises Unreachable while the bus is away."""
    memory = Memory()
    await _read_saved(bucket, "", memory, teller)
    for received in await _received(bus, *(kind.filter() for kind in (*HOST_TRANSITIONS, *ROUTER_TRANSITIONS))):
        memory.correct(received.message)
    await _correct_sessions(bus, memory, SessionOpened.filter(), SessionClosed.filter())
    return memory


async def recall_sessions(
    bus: Bus, bucket: Bucket, teller: Teller, memory: Memory, routers: Collection[RouterId]
) -> None:
    """Read the sessions of these routers anew, as their last holder left them. Raises Unreachable."""
    for place in [place for place in memory.sessions if place[0] in routers]:
        del memory.sessions[place]
    if len(routers) > _ONE_BY_ONE:
        found = Memory()
        await _read_saved(bucket, SESSIONS, found, teller)
        await _correct_sessions(bus, found, SessionOpened.filter(), SessionClosed.filter())
        memory.sessions |= {place: rows for place, rows in found.sessions.items() if place[0] in routers}
        return
    turn = asyncio.Semaphore(_AT_ONCE)

    async def one(router_id: RouterId) -> None:
        async with turn:
            await _read_saved(bucket, sessions_of(router_id), memory, teller)
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
        host_id = self._memory.take(_record(key, value))
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


def _record(key: str, value: bytes) -> Record | None:
    for prefix, kind in ((HOSTS, HostRecord), (ROUTERS, RouterRecord), (SESSIONS, SessionRecord)):
        if key.startswith(prefix):
            return read_record(kind, value)
    return None


async def _read_saved(bucket: Bucket, prefix: str, memory: Memory, teller: Teller) -> None:
    async with _closing(bucket.watch(prefix)) as entries:
        async for entry in entries:
            if entry is None:
                break
            if isinstance(entry, Entry):
                teller.knows(entry.key, entry.revision)
                memory.take(_record(entry.key, entry.value))


async def _correct_sessions(bus: Bus, memory: Memory, opened_filter: str, closed_filter: str) -> None:
    opened = {received.message.scope(): received for received in await _received(bus, opened_filter)}
    for event in await _received(bus, closed_filter):
        if event.sequence > opened.get(event.message.scope(), event).sequence:
            opened.pop(event.message.scope(), None)
    for event in opened.values():
        memory.correct(event.message)


async def _received(bus: Bus, *filters: str) -> list[Received]:
    async with _closing(bus.read(EVENTS, *filters, last_per_subject=True, follow=False)) as events:
        return [received async for received in events if received is not None]


def _closing(iterator: AsyncIterator[T]) -> aclosing[AsyncGenerator[T, None]]:
    """The bus' iterators are generators; leaving one early must end its reader on the server, too."""
    return aclosing(cast("AsyncGenerator[T, None]", iterator))
