"""What happened: subscribers' sessions, events, and who changed what."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from services.api.deps import Admin, PartsDep, Reader, Wish
from services.api.ports import EventFilter, SessionFilter
from services.api.routes.schemas.history import AuditView, EventView, SessionView
from services.api.routes.schemas.parts import PageView, page_view
from shared.contracts.vocabulary import Service

router = APIRouter(tags=["history"])


@router.get("/sessions")
async def list_sessions(
    api: PartsDep,
    _: Reader,
    wish: Wish,
    open: Annotated[bool, Query(description="Only those that are open now.")] = False,  # noqa: A002 - the parameter's public name
    router_id: str | None = None,
    account: str | None = None,
    service: Service | None = None,
) -> PageView[SessionView]:
    """Subscribers' sessions, newest first."""
    chosen = SessionFilter(open, router_id, account, service)
    async with api.store.unit() as unit:
        return page_view(await unit.history.sessions(chosen, wish), SessionView)


@router.get("/events")
async def list_events(
    api: PartsDep,
    _: Reader,
    wish: Wish,
    types: Annotated[str, Query(description="Names such as `host.down,session.opened`.")] = "",
    site_id: str | None = None,
    router_id: str | None = None,
    host_id: str | None = None,
    account: str | None = None,
) -> PageView[EventView]:
    """Past events, newest first. For events as they come: `/stream`."""
    names = tuple(name.strip() for name in types.split(",") if name.strip())
    chosen = EventFilter(names, site_id, router_id, host_id, account)
    async with api.store.unit() as unit:
        return page_view(await unit.history.events(chosen, wish), EventView)


@router.get("/audit")
async def list_audit(api: PartsDep, _: Admin, wish: Wish) -> PageView[AuditView]:
    """Who changed what, newest first."""
    async with api.store.unit() as unit:
        return page_view(await unit.audit_lines(wish), AuditView)
