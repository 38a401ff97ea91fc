"""Whether the api can do its work, for people with a key; machines ask `/readyz`."""

from __future__ import annotations

from fastapi import APIRouter

from services.api.core.cursor import PageWish
from services.api.deps import PartsDep, Reader
from services.api.routes.schemas.health import HealthView

router = APIRouter(tags=["health"])


@router.get("/health")
async def get_health(api: PartsDep, _: Reader) -> HealthView:
    """The parts that the api stands on. The database is up: without it you would not have been recognised."""
    async with api.store.unit() as unit:
        await unit.sites.find(PageWish(limit=1))
    return HealthView(status="ok" if api.bus.connected else "degraded", database=True, bus=api.bus.connected)
