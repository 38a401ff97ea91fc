"""Watched hosts."""

from __future__ import annotations

from fastapi import APIRouter, Response

from services.api.deps import InventoryKeeper, OnceDep, PartsDep, Reader, Wish
from services.api.handlers import inventory, live_queries
from services.api.ports import Unit
from services.api.routes.schemas.hosts import HostNew, HostPatch, HostView
from services.api.routes.schemas.live import PingView
from services.api.routes.schemas.parts import PageView
from shared.contracts.live import Route

router = APIRouter(prefix="/hosts", tags=["inventory"])


@router.get("")
async def list_hosts(
    api: PartsDep, _: Reader, wish: Wish, site_id: str | None = None, name: str | None = None
) -> PageView[HostView]:
    """All hosts, by name, with their state."""
    equal = {key: value for key, value in (("site_id", site_id), ("name", name)) if value}
    async with api.store.unit() as unit:
        page = await unit.hosts.find(wish, **equal)
        standings = await unit.history.hosts()
    views = [HostView.of(kept, standings.get(kept.entity.id)) for kept in page.items]
    return PageView(items=views, next_cursor=page.next_cursor)


@router.post("", status_code=201, response_model=HostView)
async def add_host(api: PartsDep, caller: InventoryKeeper, once: OnceDep, body: HostNew) -> Response:
    """Watch a host."""

    async def work(unit: Unit) -> HostView:
        added = await inventory.add_host(body.model_dump(), by=caller.name, unit=unit, clock=api.clock)
        return HostView.of(added, None)

    return await once.run(work, status=201)


@router.get("/{host_id}")
async def get_host(api: PartsDep, _: Reader, host_id: str) -> HostView:
    """One host."""
    async with api.store.unit() as unit:
        return HostView.of(await unit.hosts.get(host_id), (await unit.history.hosts()).get(host_id))


@router.patch("/{host_id}")
async def change_host(api: PartsDep, caller: InventoryKeeper, host_id: str, body: HostPatch) -> HostView:
    """Change a host."""
    async with api.store.unit() as unit:
        kept = await inventory.change_host(
            host_id, body.wanted(nullable=("port",)), by=caller.name, unit=unit, clock=api.clock
        )
        return HostView.of(kept, (await unit.history.hosts()).get(host_id))


@router.delete("/{host_id}", status_code=204)
async def remove_host(api: PartsDep, caller: InventoryKeeper, host_id: str) -> None:
    """Stop watching a host."""
    async with api.store.unit() as unit:
        await inventory.remove_host(host_id, by=caller.name, unit=unit, clock=api.clock)


@router.post("/{host_id}/ping")
async def ping_host(api: PartsDep, _: Reader, host_id: str) -> PingView:
    """Ask a host now, as the poller asks it, four times."""
    return PingView.of(await live_queries.ping_host(host_id, store=api.store, bus=api.bus))


@router.post("/{host_id}/traceroute")
async def trace_host(api: PartsDep, _: Reader, host_id: str) -> Route:
    """The way from the poller to a host, now."""
    return await live_queries.trace_host(host_id, store=api.store, bus=api.bus)
