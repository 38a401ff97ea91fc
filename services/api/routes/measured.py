"""What was measured, as charts and reports."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query
from starlette.responses import Response

from services.api.core.availability import Availability
from services.api.deps import PartsDep, Reader
from services.api.handlers import measured
from services.api.handlers.measured import Month
from services.api.routes.schemas.measured import ChartView, MonthView, ReadingsView

router = APIRouter(tags=["measurements"])

From = Annotated[datetime | None, Query(alias="from", description="With time zone; a day before `to` if not given.")]
To = Annotated[datetime | None, Query(description="With time zone; now if not given.")]
MonthName = Annotated[str, Query(description="Like `2026-11`, in UTC; the present one if not given.")]
_SUMS = ("up_s", "down_s", "unreachable_s", "unknown_s", "maintenance_s")
_QUALITY = ("delay_ms", "jitter_ms", "loss_percent", "grade")
CSV_COLUMNS = ("month", "site", "host", "host_id", "availability_percent", *_SUMS, "outages", *_QUALITY)


@router.get("/hosts/{host_id}/chart")
async def host_chart(api: PartsDep, _: Reader, host_id: str, begins: From = None, to: To = None) -> ChartView:
    """A host's round trips, loss and jitter: at most about 600 points, from the finest level that has them."""
    asked = measured.chart_span(begins, to, api.clock.now())
    async with api.store.unit() as unit:
        chart = await measured.host_chart(host_id, asked, unit=unit, clock=api.clock, kept=api.kept)
    return ChartView.of(host_id, chart)


@router.get("/routers/{router_id}/readings")
async def router_readings(
    api: PartsDep,
    _: Reader,
    router_id: str,
    metric: Annotated[str, Query(description="Such as `cpu_percent` or `rx_bps`.", min_length=1)],
    part: Annotated[str, Query(description="Interface, disk, sensor or pool; empty: the router as a whole.")] = "",
    begins: From = None,
    to: To = None,
) -> ReadingsView:
    """What a router said of itself over time."""
    asked = measured.chart_span(begins, to, api.clock.now())
    async with api.store.unit() as unit:
        chart = await measured.router_readings(
            router_id, metric, part, asked, unit=unit, clock=api.clock, kept=api.kept
        )
    return ReadingsView.of(router_id, metric, part, chart)


@router.get("/hosts/{host_id}/availability")
async def host_availability(api: PartsDep, _: Reader, host_id: str, month: MonthName = "") -> MonthView:
    """One host's availability and quality over a month."""
    async with api.store.unit() as unit:
        return MonthView.of(await measured.host_month(host_id, _month(month, api), unit=unit, clock=api.clock))


@router.get("/sites/{site_id}/availability")
async def site_availability(api: PartsDep, _: Reader, site_id: str, month: MonthName = "") -> MonthView:
    """Availability and quality of a site's hosts over a month."""
    async with api.store.unit() as unit:
        return MonthView.of(await measured.site_month(site_id, _month(month, api), unit=unit, clock=api.clock))


@router.get(
    "/reports/availability",
    response_model=MonthView,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def availability_report(
    api: PartsDep,
    _: Reader,
    month: MonthName = "",
    wanted: Annotated[Literal["json", "csv"] | None, Query(alias="format", description="Wins over Accept.")] = None,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """All hosts over a month, as JSON or as CSV."""
    async with api.store.unit() as unit:
        found = await measured.all_months(_month(month, api), unit=unit, clock=api.clock)
    if wanted == "csv" or (wanted is None and _prefers_csv(accept)):
        name = f'attachment; filename="availability-{found.month}.csv"'
        return Response(_as_csv(found), media_type="text/csv; charset=utf-8", headers={"Content-Disposition": name})
    return Response(MonthView.of(found).model_dump_json(by_alias=True), media_type="application/json")


def _month(month: str, api: PartsDep) -> str:
    return month or f"{api.clock.now():%Y-%m}"


def _prefers_csv(accept: str) -> bool:
    kinds = [part.partition(";")[0].strip() for part in accept.split(",")]
    return "text/csv" in kinds and "application/json" not in kinds


def _as_csv(month: Month) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(CSV_COLUMNS)
    for row in month.hosts:
        quality = [None] * len(_QUALITY) if row.quality is None else [getattr(row.quality, name) for name in _QUALITY]
        writer.writerow(
            [
                month.month,
                _harmless(row.site_name),
                _harmless(row.host.name),
                row.host.id,
                *_availability(row.availability),
                *(round(value, 3) if isinstance(value, float) else value for value in quality),
            ]
        )
    return text.getvalue()


def _availability(found: Availability) -> list[float | int | str]:
    percent = "" if found.percent is None else round(found.percent, 4)
    return [percent, *(round(getattr(found, name)) for name in _SUMS), found.outages]


def _harmless(text: str) -> str:
    """A name that a spreadsheet takes for a formula is quoted, so that it stays a name."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text
