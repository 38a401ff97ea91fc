"""Sites."""

from __future__ import annotations

from fastapi import APIRouter, Response

from services.api.deps import InventoryKeeper, OnceDep, PartsDep, Reader, Wish
from services.api.handlers import inventory
from services.api.ports import Unit
from services.api.routes.schemas.parts import PageView, page_view
from services.api.routes.schemas.sites import SiteNew, SitePatch, SiteView

router = APIRouter(prefix="/sites", tags=["inventory"])


@router.get("")
async def list_sites(api: PartsDep, _: Reader, wish: Wish, name: str | None = None) -> PageView[SiteView]:
    """All sites, by name."""
    async with api.store.unit() as unit:
        return page_view(await unit.sites.find(wish, **({"name": name} if name else {})), SiteView)


@router.post("", status_code=201, response_model=SiteView)
async def add_site(api: PartsDep, caller: InventoryKeeper, once: OnceDep, body: SiteNew) -> Response:
    """Add a site."""

    async def work(unit: Unit) -> SiteView:
        added = await inventory.add_site(name=body.name, policy=body.policy, by=caller.name, unit=unit, clock=api.clock)
        return SiteView.of(added)

    return await once.run(work, status=201)


@router.get("/{site_id}")
async def get_site(api: PartsDep, _: Reader, site_id: str) -> SiteView:
    """One site."""
    async with api.store.unit() as unit:
        return SiteView.of(await unit.sites.get(site_id))


@router.patch("/{site_id}")
async def change_site(api: PartsDep, caller: InventoryKeeper, site_id: str, body: SitePatch) -> SiteView:
    """Change a site."""
    async with api.store.unit() as unit:
        wanted = body.wanted()
        return SiteView.of(await inventory.change_site(site_id, wanted, by=caller.name, unit=unit, clock=api.clock))


@router.delete("/{site_id}", status_code=204)
async def remove_site(api: PartsDep, caller: InventoryKeeper, site_id: str) -> None:
    """Remove a site that has no routers and no hosts."""
    async with api.store.unit() as unit:
        await inventory.remove_site(site_id, by=caller.name, unit=unit, clock=api.clock)
