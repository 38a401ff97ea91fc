"""Announced work: what lasts now, what is to come, what is over; and the form of one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, BaseModel, Field
from starlette.responses import RedirectResponse, Response

from services.api.console.deps import PageInventoryKeeper, PageReader, PagesDep
from services.api.console.forms import Filled, NotAsTyped, as_typed, changed_fields
from services.api.console.rendering import Pages
from services.api.core.announced import Stage, WorkNow, stage_of
from services.api.core.field_types import Name
from services.api.core.rights import Caller
from services.api.deps import Parts, PartsDep
from services.api.handlers import maintenances
from services.api.handlers.entries import every
from services.api.handlers.maintenances import MEMBERS
from services.api.ports import Unit
from shared.contracts.inventory import Maintenance
from shared.errors import RondaError

router = APIRouter(prefix="/console/works", include_in_schema=False)
FIELDS = frozenset({"title", "begins_at", "ends_at", "duration_s", "site_ids"})
USUAL = timedelta(hours=2)
PAST_SHOWN = 20
_STEP_MIN = 5


class WorkFields(BaseModel):
    """Work as typed."""

    title: Name
    begins_at: AwareDatetime
    ends_at: AwareDatetime
    duration_s: Annotated[float, Field(gt=0, le=30 * 86_400)] | None
    site_ids: frozenset[str]
    group_ids: frozenset[str]
    host_ids: frozenset[str]
    router_ids: frozenset[str]


@router.get("")
async def list_works(request: Request, api: PartsDep, pages: PagesDep, caller: PageReader) -> Response:
    """By stage: what lasts now and what comes next first, what is over last."""
    now = api.clock.now()
    async with api.store.unit() as unit:
        lasting = {each.work.id: each for each in await unit.history.work(now)}
        works, names = await every(unit.maintenances), await _names(unit)
    staged: dict[Stage, list[Maintenance]] = {stage: [] for stage in Stage}
    for work in sorted(works, key=lambda work: work.begins_at):
        staged[stage_of(work, lasting.get(work.id), now)].append(work)
    staged[Stage.PAST] = staged[Stage.PAST][::-1][:PAST_SHOWN]
    members = {work.id: _members(work, names) for work in works}
    return pages.page("network/works.html", request, caller, staged=staged, lasting=lasting, members=members)


@router.get("/new")
async def new_work(
    request: Request, api: PartsDep, pages: PagesDep, caller: PageInventoryKeeper, host: str = "", router: str = ""
) -> Response:
    """A form for work that begins now."""
    begins = api.clock.now().replace(second=0, microsecond=0)
    begins -= timedelta(minutes=begins.minute % _STEP_MIN)
    zone = _zone(request, pages, caller)
    moments = {"begins_at": _local(begins, zone), "ends_at": _local(begins + USUAL, zone)}
    chosen = {"host_ids": host, "router_ids": router}
    form = Filled({name: (value,) for name, value in {**moments, **chosen}.items() if value})
    return await _form(request, api, pages, caller, form, None)


@router.post("/new")
async def add_work(request: Request, api: PartsDep, pages: PagesDep, caller: PageInventoryKeeper) -> Response:
    """Announce it."""
    form = await Filled.sent(request)
    try:
        fields = _typed(form, _zone(request, pages, caller)).model_dump()
        async with api.store.unit() as unit:
            await maintenances.add_maintenance(fields, by=caller.name, unit=unit, clock=api.clock)
    except (RondaError, NotAsTyped) as why:
        return await _form(request, api, pages, caller, form, None, why=why)
    return RedirectResponse("/console/works", status_code=303)


@router.get("/{work_id}")
async def edit_work(
    request: Request, api: PartsDep, pages: PagesDep, caller: PageInventoryKeeper, work_id: str
) -> Response:
    """The form of one."""
    work = await _work(api, work_id)
    return await _form(request, api, pages, caller, _filled(work, _zone(request, pages, caller)), work)


@router.post("/{work_id}")
async def change_work(
    request: Request, api: PartsDep, pages: PagesDep, caller: PageInventoryKeeper, work_id: str
) -> Response:
    """As wanted."""
    form, before = await Filled.sent(request), await _work(api, work_id)
    try:
        typed = _typed(form, _zone(request, pages, caller))
        wanted = changed_fields(before, {name: getattr(typed, name) for name in WorkFields.model_fields})
        if wanted:
            async with api.store.unit() as unit:
                await maintenances.change_maintenance(work_id, wanted, by=caller.name, unit=unit, clock=api.clock)
    except (RondaError, NotAsTyped) as why:
        return await _form(request, api, pages, caller, form, before, why=why)
    return RedirectResponse("/console/works", status_code=303)


@router.post("/{work_id}/end")
async def end_work(
    request: Request, api: PartsDep, pages: PagesDep, caller: PageInventoryKeeper, work_id: str
) -> Response:
    """It is over now: what is down is told."""
    now = api.clock.now()
    try:
        async with api.store.unit() as unit:
            lasting = {str(each.work.id): each for each in await unit.history.work(now)}
            if work_id in lasting:
                wanted = _ended(lasting[work_id], now)
                await maintenances.change_maintenance(work_id, wanted, by=caller.name, unit=unit, clock=api.clock)
    except RondaError as why:
        work = await _work(api, work_id)
        filled = _filled(work, _zone(request, pages, caller))
        return await _form(request, api, pages, caller, filled, work, why=why)
    return RedirectResponse("/console/works", status_code=303)


@router.post("/{work_id}/remove")
async def remove_work(api: PartsDep, caller: PageInventoryKeeper, work_id: str) -> Response:
    """Take it back."""
    async with api.store.unit() as unit:
        await maintenances.remove_maintenance(work_id, by=caller.name, unit=unit, clock=api.clock)
    return RedirectResponse("/console/works", status_code=303)


def _ended(lasting: WorkNow, now: datetime) -> dict[str, Any]:
    """Flexible work keeps its begin: it has lasted from its outage until now."""
    work = lasting.work
    ended: dict[str, Any] = {"ends_at": min(work.ends_at, now)}
    if work.duration_s is not None:
        ended["duration_s"] = max(1.0, work.duration_s - (lasting.until - now).total_seconds())
    return ended


def _typed(form: Filled, zone: ZoneInfo) -> WorkFields:
    minutes = form.number("duration_min") if form.one("flexible") else None
    raw: dict[str, Any] = {name: form.many(name) for name in MEMBERS}
    raw |= {"title": form.one("title"), "duration_s": None}
    raw |= {name: _moment(form.one(name), zone) for name in ("begins_at", "ends_at")}
    if form.one("flexible"):
        raw["duration_s"] = _seconds(minutes)
    return as_typed(WorkFields, raw)


def _seconds(minutes: str | None) -> Any:
    try:
        return float(minutes or "") * 60
    except ValueError:
        return minutes or ""  # no number: said at the field


def _moment(text: str, zone: ZoneInfo) -> Any:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)
    except ValueError:
        return text  # no time: said at the field


def _filled(work: Maintenance, zone: ZoneInfo) -> Filled:
    values: dict[str, tuple[str, ...]] = {name: tuple(getattr(work, name)) for name in MEMBERS}
    values |= {"title": (work.title,)}
    values |= {"begins_at": (_local(work.begins_at, zone),), "ends_at": (_local(work.ends_at, zone),)}
    if work.duration_s is not None:
        values |= {"flexible": ("on",), "duration_min": (f"{work.duration_s / 60:g}",)}
    return Filled(values)


def _local(moment: datetime, zone: ZoneInfo) -> str:
    """As a browser's field for day and time wants it."""
    local = moment.astimezone(zone).replace(tzinfo=None, microsecond=0)
    return local.isoformat(timespec="seconds" if local.second else "minutes")


def _zone(request: Request, pages: Pages, caller: Caller) -> ZoneInfo:
    return ZoneInfo(pages.reader(request, caller).time_zone)


async def _work(api: Parts, work_id: str) -> Maintenance:
    async with api.store.unit() as unit:
        return (await unit.maintenances.get(work_id)).entity


async def _names(unit: Unit) -> Mapping[str, list[Any]]:
    return {
        "site_ids": await every(unit.sites),
        "group_ids": await every(unit.groups),
        "host_ids": await every(unit.hosts),
        "router_ids": await every(unit.routers),
    }


def _members(work: Maintenance, names: Mapping[str, list[Any]]) -> list[str]:
    return [each.name for kind, entries in names.items() for each in entries if each.id in getattr(work, kind)]


async def _form(
    request: Request,
    api: Parts,
    pages: Pages,
    caller: Caller,
    form: Filled,
    work: Maintenance | None,
    why: RondaError | NotAsTyped | None = None,
) -> Response:
    if why is not None:
        form = form.refused(why, pages.words(pages.reader(request, caller)), FIELDS)
    async with api.store.unit() as unit:
        lasting = {each.work.id: each for each in await unit.history.work(api.clock.now())}
        names = await _names(unit)
    context: dict[str, Any] = {"form": form, "work": work, "names": names, "stage": None}
    if work is not None:
        context["stage"] = stage_of(work, lasting.get(work.id), api.clock.now())
    return pages.page("network/work_form.html", request, caller, status=422 if why else 200, **context)
