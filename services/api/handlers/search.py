"""Finding what somebody typed."""

from __future__ import annotations

from services.api.core.search import Found, SearchWish
from services.api.ports import Store

MOST_OF_A_KIND = 10


async def search(typed: str, *, store: Store, limit: int = MOST_OF_A_KIND) -> list[Found]:
    """Nothing where too little was typed."""
    wish = SearchWish.of(typed)
    if wish is None:
        return []
    async with store.unit() as unit:
        return await unit.search(wish, limit)
