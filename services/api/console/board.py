"""The board: the first page, its parts as they change, and the form for the first router."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from services.api.console.deps import PageInventoryKeeper, PageReader, PagesDep
from services.api.console.rendering import Pages
from services.api.core.faults import Faulty
from services.api.core.rights import Caller
from services.api.deps import Parts, PartsDep, still_welcome
from services.api.handlers import inventory, live_queries
from services.api.handlers.board import FRAGMENTS, BoardWatch, fragment_marks, read_board
from services.api.sse import HEARTBEAT_S, SSE_HEADERS, with_pauses
from shared.contracts.vocabulary import TlsMode
from shared.errors import DeadlineExceeded, NotAllowed, Rejected, RondaError, Unreachable

router = APIRouter(prefix="/console", include_in_schema=False)
EMPTY_FORM = {"host": "", "port": "", "username": "", "tls": "off"}


@router.get("")
async def show_board(request: Request, api: PartsDep, pages: PagesDep, caller: PageReader) -> Response:
    """The whole page."""
    return await board_page(request, api, pages, caller)


@router.get("/board/fragments")
async def show_fragments(
    request: Request, api: PartsDep, pages: PagesDep, caller: PageReader, names: str = ""
) -> HTMLResponse:
    """Some parts of the page as they are now."""
    return await fragments(request, api, pages, caller, [name for name in names.split(",") if name in FRAGMENTS])


@router.get("/board/live")
async def live_board(request: Request, api: PartsDep, caller: PageReader) -> StreamingResponse:
    """Says which parts have changed, as they change (text/event-stream)."""
    watch: BoardWatch = request.app.state.board_watch
    return StreamingResponse(_changes(watch, api, caller), media_type="text/event-stream", headers=SSE_HEADERS)


@router.post("/routers/test")
async def try_router(
    request: Request,
    api: PartsDep,
    pages: PagesDep,
    caller: PageInventoryKeeper,
    host: Annotated[str, Form(max_length=253)] = "",
    port: Annotated[str, Form(max_length=5)] = "",
    username: Annotated[str, Form(max_length=64)] = "",
    password: Annotated[str, Form(max_length=128)] = "",
    tls: Annotated[TlsMode, Form()] = TlsMode.OFF,
) -> Response:
    """Log in to the router and show what it is, or what is wrong."""
    usual = 8728 if tls is TlsMode.OFF else 8729
    form = {"host": host.strip(), "port": port.strip() or str(usual), "username": username.strip(), "tls": tls}
    try:
        unsaved = live_queries.unsaved_router(form, password, api.sealer)
        found = await live_queries.try_router(unsaved, bus=api.bus)
    except (RondaError, ValueError) as trouble:
        words = _router_trouble(trouble, request, pages, caller)
        return await board_page(request, api, pages, caller, form=form, trouble=words)
    return await board_page(
        request, api, pages, caller, form=form, found=found, sealed_password=unsaved.sealed_password
    )


@router.post("/routers")
async def add_router(
    request: Request,
    api: PartsDep,
    pages: PagesDep,
    caller: PageInventoryKeeper,
    name: Annotated[str, Form(min_length=1, max_length=120)],
    host: Annotated[str, Form(min_length=1, max_length=253)],
    port: Annotated[int, Form(ge=1, le=65535)],
    username: Annotated[str, Form(max_length=64)],
    sealed_password: Annotated[str, Form(max_length=1000)],
    tls: Annotated[TlsMode, Form()] = TlsMode.OFF,
) -> Response:
    """Register the router that was tried just now; its password came back sealed."""
    fields = {"name": name.strip(), "host": host, "port": port, "username": username, "tls": tls}
    try:
        async with api.store.unit() as unit:
            await inventory.add_sealed_router(
                fields, sealed_password=sealed_password, by=caller.name, unit=unit, clock=api.clock
            )
    except RondaError as refusal:
        return await board_page(request, api, pages, caller, trouble=str(refusal))
    return RedirectResponse("/console", status_code=303)


async def fragments(request: Request, api: Parts, pages: Pages, caller: Caller, names: list[str]) -> HTMLResponse:
    """These parts of the board as they are now."""
    board = await read_board(api.store, api.clock)
    context = {"board": board, "marks": fragment_marks(board), "names": names, "caller": caller, "answers": {}}
    return HTMLResponse(pages.text("fragments.html", pages.reader(request, caller), **context))


async def board_page(request: Request, api: Parts, pages: Pages, caller: Caller, **extra: Any) -> Response:
    """The whole first page; `answers` are shown in the cards of their hosts and routers, a `notice` on top."""
    board = await read_board(api.store, api.clock)
    context = {"found": None, "trouble": None, "form": EMPTY_FORM, "sealed_password": ""}
    context |= {"notice": None, "answers": {}} | extra
    status = 422 if context["trouble"] else 200
    return pages.page("board.html", request, caller, status=status, board=board, marks=fragment_marks(board), **context)


def _router_trouble(trouble: Exception, request: Request, pages: Pages, caller: Caller) -> str:
    words = pages.words(pages.reader(request, caller))
    if isinstance(trouble, NotAllowed):
        return words.gettext("The router refuses this user or password: {words}", words=str(trouble))
    if isinstance(trouble, DeadlineExceeded):
        return words.gettext("The router did not answer in time. Is the address right, and may Ronda reach it?")
    if isinstance(trouble, Unreachable):
        return words.gettext(
            "The router cannot be reached: {reason}. Check address, port and IP → Services → api.", reason=str(trouble)
        )
    if isinstance(trouble, Rejected):
        return words.gettext("The router says: {words}", words=trouble.words)
    if isinstance(trouble, Faulty | ValueError):
        return words.gettext("Check the address and the port; the port is a number up to 65535.")
    return str(trouble)


async def _changes(watch: BoardWatch, api: Parts, caller: Caller) -> AsyncIterator[str]:
    # The page may be older than this connection: let it compare everything once.
    yield f"retry: 2000\n\n{_changed(FRAGMENTS)}"
    async with aclosing(with_pauses(watch.changes(), HEARTBEAT_S, api.stopping)) as changes:
        async for names in changes:
            if names is not None:
                yield _changed(sorted(names))
            elif await still_welcome(caller, api):
                yield ": still here\n\n"
            else:
                return


def _changed(names: Any) -> str:
    return f"event: changed\ndata: {json.dumps(list(names))}\n\n"
