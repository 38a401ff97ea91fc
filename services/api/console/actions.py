"""What the buttons of a card do: take an alert on, ping now. Plain forms, or in place with the page's script."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.api.console.board import board_page, fragments
from services.api.console.deps import PageAlertKeeper, PageReader, PagesDep
from services.api.console.rendering import Pages
from services.api.core.rights import Caller
from services.api.deps import Parts, PartsDep
from services.api.handlers import alerts, live_queries
from shared.contracts.queries import PingReport
from shared.errors import Conflict, NotFound, RondaError, Temporary

router = APIRouter(prefix="/console", include_in_schema=False)
IN_PLACE = "X-Fragment"  # the page's script asks for the changed parts instead of a whole page


@router.post("/alerts/{incident_id}/acknowledge")
async def take_on(
    request: Request, api: PartsDep, pages: PagesDep, caller: PageAlertKeeper, incident_id: str
) -> Response:
    """Take an alert on; the chats that were told show it, too."""
    in_place = IN_PLACE in request.headers
    try:
        await alerts.acknowledge(
            incident_id, by=caller.name, store=api.store, bus=api.bus, clock=api.clock, bell=api.bell
        )
    except RondaError as refusal:
        words = _ack_trouble(refusal, request, pages, caller)
        if in_place:
            return _slot(request, pages, caller, trouble=words)
        return await board_page(request, api, pages, caller, notice=words)
    if in_place:
        return await fragments(request, api, pages, caller, ["sentence", "problems"])
    return RedirectResponse("/console", status_code=303)


@router.post("/hosts/{host_id}/ping")
async def ping_host(request: Request, api: PartsDep, pages: PagesDep, caller: PageReader, host_id: str) -> Response:
    """Ask a host now."""
    return await _pinged(request, api, pages, caller, host_id, live_queries.ping_host)


@router.post("/routers/{router_id}/ping")
async def ping_router(request: Request, api: PartsDep, pages: PagesDep, caller: PageReader, router_id: str) -> Response:
    """Ask a router's address now."""
    return await _pinged(request, api, pages, caller, router_id, live_queries.ping_router)


async def _pinged(request: Request, api: Parts, pages: Pages, caller: Caller, thing: str, ask: Any) -> Response:
    answer: dict[str, Any]
    try:
        report: PingReport = await ask(thing, store=api.store, bus=api.bus)
        answer = {"ping": report, "trouble": None}
    except RondaError as trouble:
        answer = {"ping": None, "trouble": _ping_trouble(trouble, request, pages, caller)}
    if IN_PLACE in request.headers:
        return _slot(request, pages, caller, **answer)
    return await board_page(request, api, pages, caller, answers={thing: answer})


def _slot(
    request: Request, pages: Pages, caller: Caller, *, ping: PingReport | None = None, trouble: str | None = None
) -> HTMLResponse:
    reader = pages.reader(request, caller)
    return HTMLResponse(pages.text("board/answer.html", reader, answer={"ping": ping, "trouble": trouble}))


def _ack_trouble(trouble: RondaError, request: Request, pages: Pages, caller: Caller) -> str:
    words = pages.words(pages.reader(request, caller))
    if isinstance(trouble, Conflict):
        return words.gettext("This alert is over already.")
    if isinstance(trouble, NotFound):
        return words.gettext("There is no such alert any more.")
    if isinstance(trouble, Temporary):
        return words.gettext("The notifier does not answer now. Nothing was changed; try again in a moment.")
    return str(trouble)


def _ping_trouble(trouble: RondaError, request: Request, pages: Pages, caller: Caller) -> str:
    words = pages.words(pages.reader(request, caller))
    if isinstance(trouble, Temporary):
        return words.gettext("The poller does not answer now; try again in a moment.")
    if isinstance(trouble, NotFound):
        return words.gettext("The poller does not know this host yet.")
    return str(trouble)
