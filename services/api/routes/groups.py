"""Groups of hosts."""

from __future__ import annotations

from fastapi import APIRouter, Response

from services.api.deps import InventoryKeeper, OnceDep, PartsDep, Reader, Wish
from services.api.handlers import groups
from services.api.ports import Unit
from services.api.routes.schemas.groups import GroupNew, GroupPatch, GroupView
from services.api.routes.schemas.parts import PageView, page_view

router = APIRouter(prefix="/groups", tags=["inventory"])


@router.get("")
async def list_groups(api: PartsDep, _: Reader, wish: Wish, name: str | None = None) -> PageView[GroupView]:
    """All groups of hosts, by name."""
    async with api.store.unit() as unit:
        return page_view(await unit.groups.find(wish, **({"name": name} if name else {})), GroupView)


@router.post("", status_code=201, response_model=GroupView)
async def add_group(api: PartsDep, caller: InventoryKeeper, once: OnceDep, body: GroupNew) -> Response:
    """Add a group."""

    async def work(unit: Unit) -> GroupView:
        added = await groups.add_group(name=body.name, policy=body.policy, by=caller.name, unit=unit, clock=api.clock)
        return GroupView.of(added)

    return await once.run(work, status=201)


@router.get("/{group_id}")
async def get_group(api: PartsDep, _: Reader, group_id: str) -> GroupView:
    """One group."""
    async with api.store.unit() as unit:
        return GroupView.of(await unit.groups.get(group_id))


@router.patch("/{group_id}")
async def change_group(api: PartsDep, caller: InventoryKeeper, group_id: str, body: GroupPatch) -> GroupView:
    """Change a group."""
    async with api.store.unit() as unit:
        wanted = body.wanted()
        return GroupView.of(await groups.change_group(group_id, wanted, by=caller.name, unit=unit, clock=api.clock))


@router.delete("/{group_id}", status_code=204)
async def remove_group(api: PartsDep, caller: InventoryKeeper, group_id: str) -> None:
    """Remove a group that no host belongs to."""
    async with api.store.unit() as unit:
        await groups.remove_group(group_id, by=caller.name, unit=unit, clock=api.clock)
