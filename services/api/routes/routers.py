"""Routers, and trying them before and after they are registered."""

from __future__ import annotations

from fastapi import APIRouter, Response

from services.api.deps import InventoryKeeper, OnceDep, PartsDep, Reader, Wish
from services.api.handlers import inventory, live_queries
from services.api.ports import Unit
from services.api.routes.schemas.parts import PageView
from services.api.routes.schemas.routers import RouterAddress, RouterFoundView, RouterNew, RouterPatch, RouterView

router = APIRouter(prefix="/routers", tags=["inventory"])


@router.get("")
async def list_routers(
    api: PartsDep, _: Reader, wish: Wish, site_id: str | None = None, name: str | None = None
) -> PageView[RouterView]:
    """All routers, by name, with what is known of them."""
    equal = {key: value for key, value in (("site_id", site_id), ("name", name)) if value}
    async with api.store.unit() as unit:
        page = await unit.routers.find(wish, **equal)
        standings = await unit.history.routers()
    views = [RouterView.of(kept, standings.get(kept.entity.id)) for kept in page.items]
    return PageView(items=views, next_cursor=page.next_cursor)


@router.post("", status_code=201, response_model=RouterView)
async def add_router(api: PartsDep, caller: InventoryKeeper, once: OnceDep, body: RouterNew) -> Response:
    """Register a router. Try it first with `POST /routers/test`."""
    fields = body.model_dump(exclude={"password", "port", "limits"})
    fields |= {"port": body.actual_port(), "limits": body.limits.said()}

    async def work(unit: Unit) -> RouterView:
        added = await inventory.add_router(
            fields,
            password=body.password.get_secret_value(),
            by=caller.name,
            unit=unit,
            clock=api.clock,
            sealer=api.sealer,
        )
        return RouterView.of(added, None)

    return await once.run(work, status=201)


@router.post("/test")
async def try_unsaved_router(api: PartsDep, _: InventoryKeeper, body: RouterAddress) -> RouterFoundView:
    """Log in to a router that is not registered and say what was found; nothing is kept."""
    fields = body.model_dump(exclude={"password", "port"}) | {"port": body.actual_port()}
    router_ = live_queries.unsaved_router(fields, body.password.get_secret_value(), api.sealer)
    found = await live_queries.try_router(router_, bus=api.bus)
    return RouterFoundView.model_validate(found.model_dump())


@router.get("/{router_id}")
async def get_router(api: PartsDep, _: Reader, router_id: str) -> RouterView:
    """One router."""
    async with api.store.unit() as unit:
        kept = await unit.routers.get(router_id)
        return RouterView.of(kept, (await unit.history.routers()).get(router_id))


@router.patch("/{router_id}")
async def change_router(api: PartsDep, caller: InventoryKeeper, router_id: str, body: RouterPatch) -> RouterView:
    """Change a router. A new address, port, user or protection needs its password again."""
    async with api.store.unit() as unit:
        kept = await inventory.change_router(
            router_id,
            body.wanted("password", "limits"),
            limits=body.limits.said() if body.limits else {},
            password=body.password.get_secret_value() if body.password is not None else None,
            by=caller.name,
            unit=unit,
            clock=api.clock,
            sealer=api.sealer,
        )
        return RouterView.of(kept, (await unit.history.routers()).get(router_id))


@router.delete("/{router_id}", status_code=204)
async def remove_router(api: PartsDep, caller: InventoryKeeper, router_id: str) -> None:
    """Remove a router that has no accounts."""
    async with api.store.unit() as unit:
        await inventory.remove_router(router_id, by=caller.name, unit=unit, clock=api.clock)


@router.post("/{router_id}/test")
async def try_router(api: PartsDep, _: InventoryKeeper, router_id: str) -> RouterFoundView:
    """Log in to a registered router now and say what was found."""
    async with api.store.unit() as unit:
        router_ = (await unit.routers.get(router_id)).entity
    found = await live_queries.try_router(router_, bus=api.bus)
    return RouterFoundView.model_validate(found.model_dump())
