"""The search box's results."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.api.console.deps import PageReader, PagesDep
from services.api.core.search import SHORTEST, Found, FoundKind
from services.api.deps import PartsDep
from services.api.handlers.search import MOST_OF_A_KIND, search

router = APIRouter(prefix="/console/search", include_in_schema=False)


@router.get("")
async def show_results(request: Request, api: PartsDep, pages: PagesDep, caller: PageReader, q: str = "") -> Response:
    """What was found, by kind."""
    typed = q.strip()[:100]
    found = await search(typed, store=api.store)
    groups: dict[FoundKind, list[Found]] = {}
    for each in found:
        groups.setdefault(each.kind, []).append(each)
    too_short = 0 < len(typed) < SHORTEST
    context: dict[str, Any] = {"typed": typed, "groups": groups, "most": MOST_OF_A_KIND, "too_short": too_short}
    return pages.page("search.html", request, caller, **context)
