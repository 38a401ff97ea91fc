"""A router's page: what it says now, tab by tab, and what it reaches. Every look asks the router anew."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from services.api.console.deps import PageReader, PagesDep
from services.api.console.rendering import Pages
from services.api.console.router_tables import TABS, Speech, condition, dns_values
from services.api.core.rights import Caller
from services.api.core.standings import RouterStanding
from services.api.deps import Parts, PartsDep
from services.api.handlers import live_queries
from shared.contracts import live
from shared.contracts.inventory import Router
from shared.errors import Conflict, DeadlineExceeded, Rejected, RondaError, Unreachable

router = APIRouter(prefix="/console/routers", include_in_schema=False)
PAGE_ROWS = 100


@router.get("/{router_id}")
async def show_router(
    request: Request,
    api: PartsDep,
    pages: PagesDep,
    caller: PageReader,
    router_id: str,
    tab: str = "resources",
    q: Annotated[str, Query(max_length=100)] = "",
    offset: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """One tab of the page."""
    known, standing = await _router(api, router_id)
    tab = tab if tab in TABS else "resources"
    context: dict[str, Any] = {"tab": tab, "q": q.strip(), "offset": offset, "answer": None, "trouble": None}
    query = TABS[tab].query
    if query is not None:
        wish = {"search": q.strip(), "offset": offset, "limit": PAGE_ROWS} if TABS[tab].columns else {}
        try:
            asked = query.model_validate({"router_id": known.id, **wish})
            context["answer"] = await live_queries.ask_router(asked, store=api.store, bus=api.bus)
        except RondaError as trouble:
            context["trouble"] = router_trouble(trouble, request, pages, caller)
    return _page(request, pages, caller, known, standing, **context)


@router.post("/{router_id}/reach")
async def reach(
    request: Request,
    api: PartsDep,
    pages: PagesDep,
    caller: PageReader,
    router_id: str,
    address: Annotated[str, Form(max_length=253)] = "",
    what: Annotated[Literal["ping", "trace"], Form()] = "ping",
) -> Response:
    """Ping an address from the router, or show the way to it."""
    known, standing = await _router(api, router_id)
    context: dict[str, Any] = {"tab": "reach", "q": address.strip(), "offset": 0, "answer": None, "trouble": None}
    kind = live.PingFromRouter if what == "ping" else live.TraceFromRouter
    try:
        if address.strip():
            asked: Any = kind.model_validate({"router_id": known.id, "address": address.strip()})
            context["answer"] = await live_queries.ask_router(asked, store=api.store, bus=api.bus)
    except RondaError as trouble:
        context["trouble"] = router_trouble(trouble, request, pages, caller)
    return _page(request, pages, caller, known, standing, **context)


async def _router(api: Parts, router_id: str) -> tuple[Router, RouterStanding | None]:
    async with api.store.unit() as unit:
        known = (await unit.routers.get(router_id)).entity
        return known, (await unit.history.routers()).get(known.id)


def _page(
    request: Request, pages: Pages, caller: Caller, known: Router, standing: RouterStanding | None, **context: Any
) -> Response:
    reader = pages.reader(request, caller)
    speech = Speech(pages.words(reader), reader.language)
    answer = context["answer"]
    values = None
    if isinstance(answer, live.Resources):
        values = condition(answer, speech)
    elif isinstance(answer, live.DnsSettings):
        values = dns_values(answer, speech)
    columns = TABS[context["tab"]].columns
    rows = [[(heading, read(row, speech)) for heading, read in columns] for row in answer.rows] if _is(answer) else []
    return pages.page(
        "router.html",
        request,
        caller,
        router=known,
        standing=standing,
        tabs=TABS,
        columns=columns,
        rows=rows,
        values=values,
        page_rows=PAGE_ROWS,
        speech=speech,
        **context,
    )


def _is(answer: object) -> bool:
    return isinstance(answer, live.Rows)


def router_trouble(trouble: RondaError, request: Request, pages: Pages, caller: Caller) -> str:
    """Why a router gave no answer, and what to do, in the reader's language."""
    words = pages.words(pages.reader(request, caller))
    if isinstance(trouble, Conflict):
        return words.gettext("This router is switched off in the inventory.")
    if isinstance(trouble, DeadlineExceeded):
        return words.gettext("The router did not answer in time; try again in a moment.")
    if isinstance(trouble, Unreachable):
        return words.gettext("The router cannot be asked now: {reason}", reason=str(trouble))
    if isinstance(trouble, Rejected):
        return words.gettext("The router says: {words}", words=trouble.words)
    return str(trouble)
