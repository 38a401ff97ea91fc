"""ROUTER probe: a router pings the host, for what only that router reaches. A router that is away makes nobody dead."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import timedelta

from services.poller.adapters.tasked import CannotAsk, ProbeLost, TaskedProbe
from services.poller.core.router_rows import pinged
from services.poller.ports import RouterDoor, Target
from shared.contracts.ids import RouterId
from shared.errors import RondaError
from shared.routeros.durations import format_duration

_PER_ROUTER = 8  # of the 16 commands that may run on its connection: others want to ask it something, too
_SHORTEST_S, _LONGEST_S = 0.2, 5.0  # what `interval` may be: so long the router waits for one answer
NOT_CONNECTED = "the router that pings this host cannot be asked now"


class RouterPing(TaskedProbe):
    """The round trip is the router's own; what the way to the router costs is not the host's fault."""

    grace_s = 3.0

    def __init__(self, door: RouterDoor) -> None:
        super().__init__()
        self._door = door
        self._turns: defaultdict[RouterId, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(_PER_ROUTER))

    async def try_once(self, target: Target, timeout_s: float) -> float:
        router_id = target.host.via_router if target.host is not None else None
        if router_id is None:
            raise CannotAsk("this host has no router that pings it: give it one")
        try:
            # Waiting for a turn and for the router must never look like a dead host.
            async with asyncio.timeout(timeout_s + self.grace_s - 0.1), self._turns[router_id]:
                return await self._ping(router_id, target.address, timeout_s)
        except TimeoutError as late:
            raise CannotAsk("the router that pings this host answers too slowly") from late

    async def _ping(self, router_id: RouterId, address: str, timeout_s: float) -> float:
        session = self._door.session(router_id)
        if session is None:
            raise CannotAsk(NOT_CONNECTED)
        wait = timedelta(milliseconds=round(1000 * min(max(timeout_s, _SHORTEST_S), _LONGEST_S)))
        words = {"address": address, "count": "1", "interval": format_duration(wait)}
        try:
            reply = await session.run("/ping", words, deadline=wait.total_seconds() + self.grace_s)
        except RondaError as problem:
            raise CannotAsk(f"{session.facts.identity}: {problem}") from problem
        said = pinged(reply.rows)
        if said.rtt_ms is None:
            raise ProbeLost(said.failure) if said.failure else CannotAsk(said.unknown)
        return said.rtt_ms
