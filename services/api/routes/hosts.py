"""Watched hosts."""

from __future__ import annotations

from fastapi import APIRouter, Response

from services.api.deps import InventoryKeeper, OnceDep, PartsDep, Reader, Wish
from services.api.handlers import hosts, live_queries
from services.api.ports import Kept, Unit
from services.api.routes.schemas.hosts import HostNew, HostPatch, HostView
from services.api.routes.schemas.live import PingView
from services.api.routes.schemas.parts import PageView
from shared.contracts.inventory import Host
from shared.contracts.live import Route

router = APIRouter(prefix="/hosts", tags=["inventory"])


@router.get("")
async def list_hosts(
    api: PartsDep,
    _: Reader,
    wish: Wish,
    site_id: str | None = None,
    group_id: str | None = None,
    name: str | None = None,
) -> PageView[HostView]:
    """All hosts, by name, with their state."""
    asked = {"site_id": site_id, "group_id": group_id, "name": name}
    equal = {key: value for key, value in asked.items() if value}
    async with api.store.unit() as unit:
        page = await unit.hosts.find(wish, **equal)
        standings = await unit.history.hosts()
        in_force = await hosts.policies_in_force(unit)
    views = [HostView.of(kept, standings.get(kept.entity.id), in_force(kept.entity)) for kept in page.items]
    return PageView(items=views, next_cursor=page.next_cursor)


@router.post("", status_code=201, response_model=HostView)
async def add_host(api: PartsDep, caller: InventoryKeeper, once: OnceDep, body: HostNew) -> Response:
    """Watch a host."""

    async def work(unit: Unit) -> HostView:
        added = await hosts.add_host(body.model_dump(), by=caller.name, unit=unit, clock=api.clock)
        return HostView.of(added, None, (await hosts.policies_in_force(unit))(added.entity))

    return await once.run(work, status=201)


@router.get("/{host_id}")
async def get_host(api: PartsDep, _: Reader, host_id: str) -> HostView:
    """One host."""
    async with api.store.unit() as unit:
        return await _view(await unit.hosts.get(host_id), unit)


@router.patch("/{host_id}")
async def change_host(api: PartsDep, caller: InventoryKeeper, host_id: str, body: HostPatch) -> HostView:
    """Change a host."""
    async with api.store.unit() as unit:
        wanted = body.wanted(nullable=("port", "http", "dns", "via_router", "group_id"))
        return await _view(await hosts.change_host(host_id, wanted, by=caller.name, unit=unit, clock=api.clock), unit)


@router.delete("/{host_id}", status_code=204)
async def remove_host(api: PartsDep, caller: InventoryKeeper, host_id: str) -> None:
    """Stop watching a host."""
    async with api.store.unit() as unit:
        await hosts.remove_host(host_id, by=caller.name, unit=unit, clock=api.clock)


@router.post("/{host_id}/ping")
async def ping_host(api: PartsDep, _: Reader, host_id: str) -> PingView:
    """Ask a host now, as the poller asks it, four times."""
    return PingView.of(await live_queries.ping_host(host_id, store=api.store, bus=api.bus))


@router.post("/{host_id}/traceroute")
async def trace_host(api: PartsDep, _: Reader, host_id: str) -> Route:
    """The way from the poller to a host, now."""
    return await live_queries.trace_host(host_id, store=api.store, bus=api.bus)


async def _view(kept: Kept[Host], unit: Unit) -> HostView:
    standing = (await unit.history.hosts()).get(kept.entity.id)
    return HostView.of(kept, standing, (await hosts.policies_in_force(unit))(kept.entity))
