"""What a router says now: its tables and settings, and what it reaches. Nothing here is stored."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from services.api.deps import PartsDep, Reader
from services.api.handlers import live_queries
from services.api.routes.schemas.live import PingView
from shared.contracts import live
from shared.contracts.ids import RouterId

router = APIRouter(prefix="/routers/{router_id}", tags=["live"])


class RowsWish(BaseModel):
    """Which part of a table."""

    router_id: RouterId
    search: str = ""
    offset: int = 0
    limit: int = 100


def rows_wish(
    router_id: str,
    search: Annotated[str, Query(max_length=100, description="Some letters that are in any column.")] = "",
    offset: Annotated[int, Query(ge=0, description="How many rows to pass over.")] = 0,
    limit: Annotated[int, Query(ge=1, le=live.MOST_ROWS, description="Most rows to answer.")] = 100,
) -> RowsWish:
    """The part of a table that is asked for."""
    return RowsWish(router_id=RouterId(router_id), search=search, offset=offset, limit=limit)


Rows = Annotated[RowsWish, Depends(rows_wish)]


class PingAsk(BaseModel):
    """Whom the router shall ping."""

    address: str = Field(min_length=1, max_length=253, description="Address that the router can reach.")
    count: int = Field(default=4, ge=1, le=20)


class TraceAsk(BaseModel):
    """Which way is looked at."""

    address: str = Field(min_length=1, max_length=253)
    max_hops: int = Field(default=15, ge=1, le=30)


@router.get("/leases")
async def list_leases(api: PartsDep, _: Reader, wish: Rows) -> live.Leases:
    """DHCP leases, now."""
    return await live_queries.ask_router(live.ListLeases(**wish.model_dump()), store=api.store, bus=api.bus)


@router.get("/addresses")
async def list_addresses(api: PartsDep, _: Reader, wish: Rows) -> live.RouterIps:
    """Addresses of the router itself, now."""
    return await live_queries.ask_router(live.ListAddresses(**wish.model_dump()), store=api.store, bus=api.bus)


@router.get("/pools")
async def list_pools(api: PartsDep, _: Reader, wish: Rows) -> live.Pools:
    """Address pools and how much of them is handed out, now."""
    return await live_queries.ask_router(live.ListPools(**wish.model_dump()), store=api.store, bus=api.bus)


@router.get("/interfaces")
async def list_interfaces(api: PartsDep, _: Reader, wish: Rows) -> live.Interfaces:
    """Interfaces and their state, now."""
    return await live_queries.ask_router(live.ListInterfaces(**wish.model_dump()), store=api.store, bus=api.bus)


@router.get("/traffic")
async def list_traffic(api: PartsDep, _: Reader, wish: Rows) -> live.Traffic:
    """What runs through the interfaces in this second; those of sessions only if `search` finds them."""
    return await live_queries.ask_router(live.ListTraffic(**wish.model_dump()), store=api.store, bus=api.bus)


@router.get("/neighbors")
async def list_neighbors(api: PartsDep, _: Reader, wish: Rows) -> live.Neighbors:
    """Devices that the router sees, now."""
    return await live_queries.ask_router(live.ListNeighbors(**wish.model_dump()), store=api.store, bus=api.bus)


@router.get("/dns")
async def show_dns(api: PartsDep, _: Reader, router_id: str) -> live.DnsSettings:
    """How the router resolves names, now."""
    query = live.AskDns(router_id=RouterId(router_id))
    return await live_queries.ask_router(query, store=api.store, bus=api.bus)


@router.get("/resources")
async def show_resources(api: PartsDep, _: Reader, router_id: str) -> live.Resources:
    """Load, memory, disk and sensors, now."""
    query = live.AskResources(router_id=RouterId(router_id))
    return await live_queries.ask_router(query, store=api.store, bus=api.bus)


@router.post("/ping")
async def ping(api: PartsDep, _: Reader, router_id: str, ask: PingAsk | None = None) -> PingView:
    """Ping an address from the router; without one, ping the router itself: does it live while its API is silent?"""
    if ask is None:
        return PingView.of(await live_queries.ping_router(router_id, store=api.store, bus=api.bus))
    query = live.PingFromRouter(router_id=RouterId(router_id), address=ask.address, count=ask.count)
    return PingView.of(await live_queries.ask_router(query, store=api.store, bus=api.bus))


@router.post("/traceroute")
async def trace(api: PartsDep, _: Reader, router_id: str, ask: TraceAsk) -> live.Route:
    """The way from the router to an address, now. A dead one takes up to half a minute."""
    query = live.TraceFromRouter(router_id=RouterId(router_id), address=ask.address, max_hops=ask.max_hops)
    return await live_queries.ask_router(query, store=api.store, bus=api.bus)
