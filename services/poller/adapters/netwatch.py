"""NETWATCH probe: what a router's own netwatch says of the host. The table is followed, and asking costs nothing.

While the table cannot be read, what the router's scripts have told since it was read last counts in its place.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from services.poller.adapters.tasked import CannotAsk, ProbeLost, TaskedProbe
from services.poller.core.router_rows import NETWATCH_COLUMNS, netwatch_says
from services.poller.ports import RouterDoor, Target
from shared.clock import Clock, SystemClock
from shared.contracts.ids import RouterId
from shared.contracts.vocabulary import ProbeFailure
from shared.errors import RondaError
from shared.routeros import Row, RowChanged, RowGone, Session

PATH = "/tool/netwatch"
_COMPARE_S = 15.0  # a listen that is deaf is found out; where there is none, this is the pace
_IDLE_S = 900.0  # nobody asked for so long: the hosts are watched otherwise now
_READ_S = 5.0

log = structlog.get_logger(__name__)


Hearing = Callable[[RouterId, tuple[str, ...], datetime | None], bool | None]
"""Whether scripts of a router said last that a host, by any of these addresses, is up; None if they said nothing since
then that is still to be believed."""


@dataclass
class _Table:
    """One router's table while it is followed. `rows` is None until it was read, and again when that failed."""

    session: Session
    asked_at: float
    rows: dict[str, Row] | None = None
    read_at: datetime | None = None
    problem: str = "the router's netwatch has not been read yet"
    settled: asyncio.Event = field(default_factory=asyncio.Event)


class NetwatchProbe(TaskedProbe):
    """A table per router, over the router's one connection."""

    grace_s = _READ_S

    def __init__(
        self, door: RouterDoor, *, heard: Hearing = lambda _router, _names, _since: None, clock: Clock | None = None
    ) -> None:
        super().__init__(at_once=10_000)  # nothing is opened: they wait for their router's table at most
        self._door = door
        self._heard = heard
        self._clock = clock or SystemClock()
        self._tables: dict[RouterId, _Table] = {}
        self._following: dict[RouterId, asyncio.Task[None]] = {}

    async def close(self) -> None:
        await super().close()
        for task in self._following.values():
            task.cancel()
        await asyncio.gather(*self._following.values(), return_exceptions=True)

    async def try_once(self, target: Target, timeout_s: float) -> float:  # noqa: ARG002
        host = target.host
        if host is None or host.via_router is None:
            raise CannotAsk("this host has no router whose netwatch watches it: give it one")
        names = (target.address, host.address)
        try:
            table = await self._read_table(host.via_router)
        except CannotAsk as reason:
            return self._by_hearsay(host.via_router, names, reason)
        router = table.session.facts.identity
        said = netwatch_says(list((table.rows or {}).values()), names, router)
        if said.rtt_ms is None:
            raise ProbeLost(said.failure) if said.failure else CannotAsk(said.unknown)
        return said.rtt_ms

    async def _read_table(self, router_id: RouterId) -> _Table:
        """The router's table with its rows; CannotAsk says why there is none."""
        table = self._table(router_id)
        try:
            async with asyncio.timeout(_READ_S - 0.1):
                await table.settled.wait()
        except TimeoutError as late:
            raise CannotAsk("the router's netwatch cannot be read now: no answer in time") from late
        if table.rows is None:
            raise CannotAsk(table.problem)
        return table

    def _by_hearsay(self, router_id: RouterId, names: tuple[str, ...], reason: CannotAsk) -> float:
        """What the router's scripts said since its table was read last; without a word, `reason` stands."""
        table = self._tables.get(router_id)
        up = self._heard(router_id, names, table.read_at if table else None)
        if up is None:
            raise reason
        if not up:
            raise ProbeLost(ProbeFailure.REPORTED)
        return 0.0

    def _table(self, router_id: RouterId) -> _Table:
        """The table of the router's present connection; a new connection begins a new one."""
        session = self._door.session(router_id)
        if session is None:
            raise CannotAsk("the router whose netwatch watches this host cannot be asked now")
        table = self._tables.get(router_id)
        if table is None or table.session is not session or self._following[router_id].done():
            if table is not None:
                self._following[router_id].cancel()
            read_at = table.read_at if table is not None else None
            table = self._tables[router_id] = _Table(session, time.monotonic(), read_at=read_at)
            self._following[router_id] = asyncio.create_task(
                _follow(table, self._clock), name=f"netwatch of {router_id}"
            )
        table.asked_at = time.monotonic()
        return table


async def _follow(table: _Table, clock: Clock) -> None:
    """Keep the table until its connection ends or nobody asks any more. Never raises for what the router says."""
    listening = asyncio.create_task(_listen(table))
    try:
        while time.monotonic() - table.asked_at < _IDLE_S:
            try:
                rows = await table.session.print_rows(PATH, NETWATCH_COLUMNS, deadline=_READ_S)
            except RondaError as problem:
                table.rows, table.problem = None, f"{table.session.facts.identity}: {problem}"
                table.settled.set()
                if not table.session.is_open:
                    return
            else:
                table.rows = {row[".id"]: row for row in rows if ".id" in row}
                table.read_at = clock.now()
                table.settled.set()
            await asyncio.sleep(_COMPARE_S)
    finally:
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening


async def _listen(table: _Table) -> None:
    """Changes as they happen; where the router or its connection has no room for that, the reading has to do."""
    try:
        async with table.session.listen(PATH, NETWATCH_COLUMNS) as changes:
            async for change in changes:
                match change:
                    case RowChanged() if table.rows is not None:
                        table.rows[change.id] = change.row
                    case RowGone() if table.rows is not None:
                        table.rows.pop(change.id, None)
    except RondaError as refused:
        log.info("netwatch is read now and then", router=table.session.facts.identity, reason=str(refused))
