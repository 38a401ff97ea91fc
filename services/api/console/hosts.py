"""A host's own page: how it is, how its connection was, what happened to it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.api.console.charting import draw
from services.api.console.deps import PageReader, PagesDep
from services.api.core.announced import work_at
from services.api.core.availability import Availability, Span, month_before
from services.api.core.cursor import PageWish
from services.api.core.facts import BoardEvent
from services.api.core.standings import HostStanding
from services.api.deps import PartsDep
from services.api.handlers import measured
from services.api.handlers.hosts import policies_in_force
from services.api.ports import EventFilter, Unit
from shared.contracts.inventory import Host
from shared.contracts.vocabulary import HostState

router = APIRouter(prefix="/console/hosts", include_in_schema=False)
SPANS = {
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
USUAL = "24h"
_EVENTS = 30
_BAR = 100.0


@router.get("/{host_id}")
async def show_host(
    request: Request, api: PartsDep, pages: PagesDep, caller: PageReader, host_id: str, span: str = USUAL
) -> Response:
    """The page."""
    chosen = span if span in SPANS else USUAL
    now = api.clock.now()
    month = f"{now:%Y-%m}"
    async with api.store.unit() as unit:
        host = (await unit.hosts.get(host_id)).entity
        asked = Span(now - SPANS[chosen], now)
        chart = await measured.host_chart(host_id, asked, unit=unit, clock=api.clock, kept=api.kept)
        names = (month, month_before(month))
        months = [await measured.host_month(host_id, name, unit=unit, clock=api.clock) for name in names]
        context = await _surroundings(host, unit, now)
    rows = [(found.month, found.hosts[0], _bar(found.hosts[0].availability)) for found in months]
    context |= {"picture": draw(chart), "chart": chart, "months": rows, "spans": tuple(SPANS), "chosen": chosen}
    return pages.page("host.html", request, caller, host=host, answer=None, **context)


async def _surroundings(host: Host, unit: Unit, now: datetime) -> dict[str, Any]:
    standing: HostStanding | None = (await unit.history.hosts()).get(host.id)
    told = standing.shown if standing else HostState.UNKNOWN
    work = work_at(host, await unit.history.work(now))
    events = (await unit.history.events(EventFilter(host_id=host.id), PageWish(_EVENTS))).items
    parents = [[(await unit.hosts.get(each)).entity for each in group] for group in host.parents]
    return {
        "site": (await unit.sites.get(host.site_id)).entity,
        "standing": standing,
        "state": HostState.MAINTENANCE if work else told,
        "beneath": told,
        "work": work,
        "group": (await unit.groups.get(host.group_id)).entity if host.group_id else None,
        "policy": (await policies_in_force(unit))(host),
        "since": standing.shown_since if standing else None,
        "events": [BoardEvent(each.id, each.type, each.at, each.site_id, each.body) for each in events],
        "parents": parents,
    }


def _bar(found: Availability) -> list[tuple[str, float, float]]:
    """State, begin and width of the pieces of a bar of 100, the longest spans of no interest last."""
    sums = {
        HostState.UP: found.up_s,
        HostState.DOWN: found.down_s,
        HostState.UNREACHABLE: found.unreachable_s,
        HostState.MAINTENANCE: found.maintenance_s,
        HostState.UNKNOWN: found.unknown_s,
    }
    whole = sum(sums.values()) or 1.0
    pieces: list[tuple[str, float, float]] = []
    x = 0.0
    for state, seconds in sums.items():
        if seconds:
            width = _BAR * seconds / whole
            pieces.append((state, round(x, 3), round(width, 3)))
            x += width
    return pieces
