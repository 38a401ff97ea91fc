"""What happened: subscribers' sessions, events, and who changed what."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from services.api.deps import AccountKeeper, Admin, PartsDep, Reader, Wish
from services.api.handlers import sessions
from services.api.ports import EventFilter, SessionFilter
from services.api.routes.schemas.history import AuditView, EventView, SessionView
from services.api.routes.schemas.live import DisconnectView
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


@router.post("/sessions/{session_id}/disconnect", status_code=202)
async def disconnect_session(api: PartsDep, caller: AccountKeeper, session_id: str) -> DisconnectView:
    """End a session now, and every other one of its account; also of accounts that Ronda does not keep."""
    order = await sessions.disconnect_session(session_id, by=caller.name, store=api.store, bus=api.bus, clock=api.clock)
    return DisconnectView.of(order, api.clock.now() + sessions.LIFE)


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
