"""Tables and settings of a router, as it has them now."""

from __future__ import annotations

from typing import Any

from services.poller.core import live_rows as rows
from services.poller.core.row_values import flag
from shared.contracts import live
from shared.errors import Refused
from shared.routeros import Session, equals

READ_S = 12.0  # per command: a big table on a small router
_WATCHED_AT_ONCE = 100  # interfaces in one monitor


async def leases(session: Session, query: live.ListLeases) -> live.Leases:
    """DHCP leases."""
    return live.Leases.model_validate(await _page(session, query, rows.LEASES))


async def addresses(session: Session, query: live.ListAddresses) -> live.RouterIps:
    """Addresses of the router itself."""
    return live.RouterIps.model_validate(await _page(session, query, rows.ADDRESSES))


async def interfaces(session: Session, query: live.ListInterfaces) -> live.Interfaces:
    """Interfaces with their counters."""
    return live.Interfaces.model_validate(await _page(session, query, rows.INTERFACES))


async def neighbors(session: Session, query: live.ListNeighbors) -> live.Neighbors:
    """Neighbours that announce themselves."""
    return live.Neighbors.model_validate(await _page(session, query, rows.NEIGHBORS))


async def pools(session: Session, query: live.ListPools) -> live.Pools:
    """Pools with their use."""
    found = await session.print_rows("/ip/pool", rows.POOL_COLUMNS, deadline=READ_S)
    # Counted at the router: the table of used addresses may hold thousands and is never read whole.
    used = {
        row["name"]: await session.count("/ip/pool/used", equals("pool", row["name"]), deadline=READ_S)
        for row in found
        if "used" not in row and "name" in row
    }
    return live.Pools.model_validate(rows.page(query, rows.pools(found, used)))


async def traffic(session: Session, query: live.ListTraffic) -> live.Traffic:
    """One second of every interface that runs; interfaces of sessions, of which there may be thousands, only if the
    search finds them."""
    found = await session.print_rows("/interface", ("name", "running", "dynamic"), deadline=READ_S)
    letters = query.search.casefold()
    names = [
        row["name"]
        for row in found
        if "name" in row
        and flag(row, "running")
        and (letters in row["name"].casefold() if letters else not flag(row, "dynamic"))
    ]
    part = names[query.offset : query.offset + min(query.limit, _WATCHED_AT_ONCE)]
    seen = []
    if part:
        command = {"interface": ",".join(part), "once": ""}
        seen = (await session.run("/interface/monitor-traffic", command, deadline=READ_S)).rows
    return live.Traffic(
        total=len(names),
        offset=query.offset,
        truncated=query.offset + len(part) < len(names),
        rows=tuple(rows.traffic(row) for row in seen),
    )


async def dns(session: Session, _query: live.AskDns) -> live.DnsSettings:
    """How the router resolves names."""
    found = await session.print_rows("/ip/dns", rows.DNS_COLUMNS, deadline=READ_S)
    return rows.dns_settings(found[0] if found else {})


async def resources(session: Session, _query: live.AskResources) -> live.Resources:
    """Load and sensors; a router without sensors has none and is no less well for it."""
    found = await session.print_rows("/system/resource", rows.RESOURCE_COLUMNS, deadline=READ_S)
    try:
        health = session.dialect.read_health(await session.print_rows("/system/health", deadline=READ_S))
    except Refused:
        health = []
    return rows.resources(session.facts, found[0] if found else {}, health)


async def _page(session: Session, query: live.RowsQuery[Any], menu: rows.Menu) -> dict[str, Any]:
    found = await session.print_rows(menu.path, menu.columns, deadline=READ_S)
    return rows.page(query, [menu.read(row) for row in found])
