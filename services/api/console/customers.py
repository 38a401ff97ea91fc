"""Customers: the list, and the switch between active and isolated."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from services.api.console.deps import PageAccountKeeper, PageReader, PagesDep
from services.api.console.rendering import Pages
from services.api.core.account import AccountChange, ApplyState
from services.api.core.cursor import PageWish, decode_cursor
from services.api.core.rights import Caller, Scope
from services.api.deps import Parts, PartsDep
from services.api.handlers import accounts
from services.api.ports import AccountFilter
from shared.contracts.vocabulary import AccountStatus
from shared.errors import RondaError

router = APIRouter(prefix="/console/customers", include_in_schema=False)
PAGE = 50


@router.get("")
async def list_customers(
    request: Request,
    api: PartsDep,
    pages: PagesDep,
    caller: PageReader,
    q: str = "",
    cursor: str | None = None,
    apply_state: ApplyState | None = None,
) -> Response:
    """Customers by name."""
    wish = PageWish(PAGE, decode_cursor(cursor) if cursor else None)
    return await _page(request, api, pages, caller, q=q, wish=wish, apply_state=apply_state)


@router.post("/{account_id}/status")
async def switch(
    request: Request,
    api: PartsDep,
    pages: PagesDep,
    caller: PageAccountKeeper,
    account_id: str,
    status: Annotated[AccountStatus, Form()],
    generation: Annotated[int, Form()],
    q: Annotated[str, Form()] = "",
) -> Response:
    """Isolate a customer, or let them in again."""
    try:
        async with api.store.unit() as unit:
            await accounts.change(
                account_id,
                AccountChange(status=status),
                by=caller.name,
                unit=unit,
                clock=api.clock,
                time_zone=api.time_zone,
                if_generation=generation,
            )
    except RondaError as refusal:
        return await _page(request, api, pages, caller, q=q, wish=PageWish(PAGE), trouble=str(refusal))
    return RedirectResponse(f"/console/customers?q={quote(q)}", status_code=303)


async def _page(
    request: Request,
    api: Parts,
    pages: Pages,
    caller: Caller,
    *,
    q: str,
    wish: PageWish,
    apply_state: ApplyState | None = None,
    trouble: str | None = None,
) -> Response:
    async with api.store.unit() as unit:
        found = await unit.accounts.find(AccountFilter(text=q or None, apply_state=apply_state), wish)
        routers = (await unit.routers.find(PageWish(limit=500))).items
    context: dict[str, Any] = {
        "accounts": found.items,
        "next_cursor": found.next_cursor,
        "routers": {kept.entity.id: kept.entity.name for kept in routers},
        "may_switch": caller.may(Scope.ACCOUNTS),
        "q": q,
        "apply_state": apply_state,
        "trouble": trouble,
    }
    return pages.page("customers.html", request, caller, status=409 if trouble else 200, **context)
