"""One question to everything that has a name or an address."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from services.api.deps import PartsDep, Reader
from services.api.handlers.search import MOST_OF_A_KIND, search
from services.api.routes.schemas.search import FoundList, FoundView

router = APIRouter(tags=["search"])


@router.get("/search")
async def search_everything(
    api: PartsDep,
    _: Reader,
    q: Annotated[str, Query(min_length=2, max_length=100, description="A part of a name, IP or MAC address or phone.")],
    limit: Annotated[int, Query(ge=1, le=50, description="Of each kind.")] = MOST_OF_A_KIND,
) -> FoundList:
    """Accounts, sessions, hosts and routers; what fits exactly stands first."""
    return FoundList(items=[FoundView.of(found) for found in await search(q, store=api.store, limit=limit)])
