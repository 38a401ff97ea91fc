"""Alerts: what is wrong, who was told, who took it on."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from services.api.core.alerts import AlertState
from services.api.deps import AlertKeeper, PartsDep, Reader, Wish
from services.api.handlers import alerts
from services.api.routes.schemas.alerts import AlertView
from services.api.routes.schemas.parts import PageView, page_view

router = APIRouter(prefix="/alerts", tags=["alerts"])


@router.get("")
async def list_alerts(
    api: PartsDep,
    _: Reader,
    wish: Wish,
    state: Annotated[list[AlertState], Query(description="May be repeated; all of them unless you say which.")] = [],  # noqa: B006 - read only
) -> PageView[AlertView]:
    """Alerts, newest first."""
    async with api.store.unit() as unit:
        return page_view(await unit.alerts.find(state, wish), AlertView)


@router.get("/{incident_id}")
async def get_alert(api: PartsDep, _: Reader, incident_id: str) -> AlertView:
    """One alert."""
    async with api.store.unit() as unit:
        return AlertView.of(await unit.alerts.get(incident_id))


@router.post("/{incident_id}/acknowledge")
async def acknowledge_alert(api: PartsDep, caller: AlertKeeper, incident_id: str) -> AlertView:
    """Take an alert on, as the button in a chat does; the chats show it. Whoever was first stays: see the answer."""
    alert = await alerts.acknowledge(
        incident_id, by=caller.name, store=api.store, bus=api.bus, clock=api.clock, bell=api.bell
    )
    return AlertView.of(alert)
