"""Ping and traceroute, from a router and from the poller itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from services.poller.core import live_rows as rows
from services.poller.core.roster import Roster
from services.poller.handlers.pinging import numeric_target
from services.poller.ports import Resolver
from shared.bus.ports import Bus, NotHere
from shared.contracts import live
from shared.contracts.ids import SiteId
from shared.contracts.queries import PingReport
from shared.errors import DeadlineExceeded
from shared.routeros import Session

_LONGEST_ANSWER_S = 5.0
_TRACE_S = 28.0
_TRACE_TIMEOUT = "500ms"

Trace = Callable[[str, int], Awaitable[tuple[live.Hop, ...]]]
"""The hops to a numeric address, at most so many. Raises NotAllowed where we may not, Unreachable."""


async def ping(session: Session, query: live.PingFromRouter) -> PingReport:
    """Several requests of the router; it waits one interval for each answer, so a far host needs a longer one."""
    words = {"address": query.address, "count": str(query.count), "interval": "1s"}
    deadline = query.count + _LONGEST_ANSWER_S
    reply = await session.run("/ping", words, deadline=deadline)
    return rows.ping_report(query.address, reply.rows, query.count)


async def trace(session: Session, query: live.TraceFromRouter) -> live.Route:
    """The router's way. Names are not looked up: that costs more than the way itself."""
    words = {
        "address": query.address,
        "count": "1",
        "max-hops": str(query.max_hops),
        "timeout": _TRACE_TIMEOUT,
        "use-dns": "no",
    }
    reply = await session.run("/tool/traceroute", words, deadline=_TRACE_S)
    return rows.route(query.address, reply.rows)


async def trace_target(
    query: live.TraceTarget,
    *,
    roster: Roster,
    resolver: Resolver,
    trace: Trace,
    bus: Bus | None = None,
    nearest: Callable[[SiteId], str | None] = lambda _site: None,
) -> live.Route:
    """The poller's own way. Raises NotFound, Invalid, NotAllowed, Unreachable.

    A host of a site that has a poller of its own is asked from there: `nearest` names that poller (None: us).
    """
    host = roster.hosts.get(query.host_id) if query.host_id is not None else None
    poller = nearest(host.site_id) if host is not None else None
    if poller is not None and bus is not None:
        return await bus.request(live.TraceFromPoller(poller=poller, **query.model_dump()))
    return await _trace(query, roster, resolver, trace)


async def trace_from_here(
    query: live.TraceFromPoller, *, name: str, roster: Roster, resolver: Resolver, trace: Trace
) -> live.Route:
    """The same, from this poller whatever the target. Raises NotHere if another one is meant."""
    if query.poller != name:
        raise NotHere
    return await _trace(query, roster, resolver, trace)


async def _trace(
    query: live.TraceTarget | live.TraceFromPoller, roster: Roster, resolver: Resolver, trace: Trace
) -> live.Route:
    address = await numeric_target(query.target, query.host_id, roster, resolver)
    try:
        async with asyncio.timeout(_TRACE_S):
            hops = await trace(address, query.max_hops)
    except TimeoutError as late:
        raise DeadlineExceeded(f"the way to {address} was not seen within {_TRACE_S:g} s") from late
    return live.Route(target=query.target, hops=hops, reached=bool(hops) and hops[-1].address == address)
