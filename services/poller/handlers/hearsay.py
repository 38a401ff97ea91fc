"""What routers say by scripts of their own reaches the desk of each router, in order, each saying once.

Every poller reads all sayings and keeps the last ones: whoever begins to watch a router hears what was said of it since
the poller before made facts of it (`said.<router>` in the bucket `state` says up to where that is).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import datetime
from typing import Protocol, cast

import structlog

from services.poller.core.records import SaidRecord, read_record, said_key
from services.poller.handlers.session_desk import SessionDesk
from services.poller.handlers.telling import Teller
from shared.bus.ports import Bucket, Bus, Received
from shared.contracts.events import RouterSaid
from shared.contracts.ids import RouterId
from shared.contracts.streams import EVENTS
from shared.contracts.vocabulary import Saying
from shared.errors import Temporary

_AGAIN_S = 1.0
_KEPT = 10_000  # sayings; half a minute of the greatest load, hours of an ordinary one

log = structlog.get_logger(__name__)


class HostListener(Protocol):
    """Who makes facts of what a router's netwatch says about a host."""

    def router_said(self, router_id: RouterId, at: datetime) -> None:
        """The router spoke, of whatever."""
        ...

    def host_said(self, router_id: RouterId, address: str, *, up: bool, at: datetime) -> None:
        """`address` as the router watches it; `at` is when it was received."""
        ...


class Hearsay:
    """Reads what routers say. `attached` connects a router's desk for as long as the router is watched here."""

    def __init__(self, bus: Bus, memory: Bucket, teller: Teller, *, hosts: HostListener | None = None) -> None:
        self._bus = bus
        self._memory = memory
        self._teller = teller
        self._hosts = hosts
        self._desks: dict[RouterId, SessionDesk] = {}
        self._heard: dict[RouterId, int] = {}
        self._kept: deque[tuple[int, RouterSaid]] = deque(maxlen=_KEPT)
        self._place = 0

    @asynccontextmanager
    async def attached(self, router_id: RouterId, desk: SessionDesk) -> AsyncIterator[None]:
        """The desk hears what was said since facts were last made of it, and what is said from now on."""
        self._heard[router_id] = await self._told_up_to(router_id)
        self._desks[router_id] = desk
        for place, saying in list(self._kept):
            if saying.router_id == router_id:
                self._hand_over(place, saying)
        try:
            yield
        finally:
            del self._desks[router_id]

    def desk_of(self, router_id: RouterId) -> SessionDesk | None:
        """The desk of a router that is watched here."""
        return self._desks.get(router_id)

    async def run(self) -> None:
        """Read until cancelled."""
        self._place = await self._beginning()
        reading = self._bus.read(EVENTS, RouterSaid.filter(), after_sequence=self._place)
        async with aclosing(cast("AsyncGenerator[Received | None, None]", reading)) as received:
            async for one in received:
                if one is not None and isinstance(one.message, RouterSaid):
                    self._place = one.sequence
                    self._kept.append((one.sequence, one.message))
                    self._hand_over(one.sequence, one.message)

    def _hand_over(self, place: int, saying: RouterSaid) -> None:
        desk = self._desks.get(saying.router_id)
        if desk is None or place <= self._heard.get(saying.router_id, 0):
            return
        self._heard[saying.router_id] = place
        if self._hosts is not None:
            self._hosts.router_said(saying.router_id, saying.at)
        if saying.saying in {Saying.LOGIN, Saying.LOGOUT}:
            desk.said(saying)
        elif self._hosts is not None and saying.address is not None:
            self._hosts.host_said(saying.router_id, saying.address, up=saying.saying is Saying.UP, at=saying.at)
        record = SaidRecord(order=place, router_id=saying.router_id)
        self._teller.tell(said_key(saying.router_id), None, record)

    async def _beginning(self) -> int:
        """From where on something may not have been heard: the oldest place of all routers; 0 where nothing was yet.

        A poller may start while the bus is away: nothing is heard then, and this waits.
        """
        while True:
            try:
                places = [await self._place_in(key) for key in await self._memory.keys("said.")]
            except Temporary:
                await asyncio.sleep(_AGAIN_S)
            else:
                return min((place for place in places if place), default=0)

    async def _told_up_to(self, router_id: RouterId) -> int:
        try:
            return max(self._heard.get(router_id, 0), await self._place_in(said_key(router_id)))
        except Temporary as problem:
            log.warning("it is not known up to where a router was heard", router=router_id, reason=str(problem))
            return self._heard.get(router_id, self._place)

    async def _place_in(self, key: str) -> int:
        entry = await self._memory.get(key)
        if entry is None:
            return 0
        record = read_record(SaidRecord, entry.value)
        self._teller.knows(key, entry.revision)
        return record.order if record else 0
