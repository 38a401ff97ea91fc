"""Live questions to a router, over the one connection that its watcher holds.

Every poller is asked (no queue): whoever holds the router answers, or says why it cannot be asked now; the others
stay silent.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from services.poller.handlers.live import paths, tables
from services.poller.ports import RouterDoor
from shared.bus.ports import NotHere
from shared.contracts import live
from shared.contracts.ids import RouterId
from shared.contracts.queries import Answer, Query
from shared.errors import Unreachable
from shared.routeros import Session

LIVE: dict[type[Query[Any]], Callable[[Session, Any], Awaitable[Answer]]] = {
    live.ListLeases: tables.leases,
    live.ListAddresses: tables.addresses,
    live.ListPools: tables.pools,
    live.ListInterfaces: tables.interfaces,
    live.ListTraffic: tables.traffic,
    live.ListNeighbors: tables.neighbors,
    live.AskDns: tables.dns,
    live.AskResources: tables.resources,
    live.PingFromRouter: paths.ping,
    live.TraceFromRouter: paths.trace,
}
"""Which question is put to the router by what."""

Trouble = Callable[[RouterId], str | None]
"""Why a router that is watched here cannot be asked; None: it is not watched here."""


async def answer_live(query: live.RouterQuery[Any], *, door: RouterDoor, trouble: Trouble) -> Answer:
    """Put a question to its router. Raises NotHere, Unreachable, and what the router says against it."""
    session = door.session(query.router_id)
    if session is None:
        reason = trouble(query.router_id)
        if reason is None:
            raise NotHere
        raise Unreachable(reason)
    return await LIVE[type(query)](session, query)
