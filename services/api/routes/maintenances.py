"""Announced work."""

from __future__ import annotations

from fastapi import APIRouter, Response

from services.api.deps import InventoryKeeper, OnceDep, PartsDep, Reader, Wish
from services.api.handlers import maintenances
from services.api.ports import Unit
from services.api.routes.schemas.maintenances import MaintenanceNew, MaintenancePatch, MaintenanceView
from services.api.routes.schemas.parts import PageView, page_view

router = APIRouter(prefix="/maintenances", tags=["inventory"])


@router.get("")
async def list_maintenances(
    api: PartsDep, _: Reader, wish: Wish, title: str | None = None
) -> PageView[MaintenanceView]:
    """All announced work, by title; what is over, too."""
    async with api.store.unit() as unit:
        return page_view(await unit.maintenances.find(wish, **({"title": title} if title else {})), MaintenanceView)


@router.post("", status_code=201, response_model=MaintenanceView)
async def add_maintenance(api: PartsDep, caller: InventoryKeeper, once: OnceDep, body: MaintenanceNew) -> Response:
    """Announce work: what it names is measured on and not alarmed."""

    async def work(unit: Unit) -> MaintenanceView:
        added = await maintenances.add_maintenance(body.model_dump(), by=caller.name, unit=unit, clock=api.clock)
        return MaintenanceView.of(added)

    return await once.run(work, status=201)


@router.get("/{maintenance_id}")
async def get_maintenance(api: PartsDep, _: Reader, maintenance_id: str) -> MaintenanceView:
    """One piece of announced work."""
    async with api.store.unit() as unit:
        return MaintenanceView.of(await unit.maintenances.get(maintenance_id))


@router.patch("/{maintenance_id}")
async def change_maintenance(
    api: PartsDep, caller: InventoryKeeper, maintenance_id: str, body: MaintenancePatch
) -> MaintenanceView:
    """Change announced work, or end it."""
    async with api.store.unit() as unit:
        wanted = body.wanted(nullable=("duration_s",))
        return MaintenanceView.of(
            await maintenances.change_maintenance(maintenance_id, wanted, by=caller.name, unit=unit, clock=api.clock)
        )


@router.delete("/{maintenance_id}", status_code=204)
async def remove_maintenance(api: PartsDep, caller: InventoryKeeper, maintenance_id: str) -> None:
    """Take announced work back."""
    async with api.store.unit() as unit:
        await maintenances.remove_maintenance(maintenance_id, by=caller.name, unit=unit, clock=api.clock)
