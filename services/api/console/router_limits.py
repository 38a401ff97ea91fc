"""A router's limits, and from where people log in to it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from services.api.console.deps import PageInventoryKeeper, PagesDep
from services.api.console.forms import Filled, NotAsTyped, as_typed
from services.api.console.rendering import Pages
from services.api.console.router_tables import TABS
from services.api.core.field_types import Percent
from services.api.core.rights import Caller
from services.api.deps import Parts, PartsDep
from services.api.handlers import inventory
from shared.contracts.inventory import Router
from shared.errors import RondaError
from shared.i18n import N_

router = APIRouter(prefix="/console/routers", include_in_schema=False)
Volts = Annotated[float, Field(ge=0, le=100)]


class LimitFields(BaseModel):
    """Limits as typed; None: not watched."""

    cpu_percent: Percent | None
    memory_percent: Percent | None
    disk_percent: Percent | None
    pool_percent: Percent | None
    temperature_c: Annotated[float, Field(gt=0, le=150)] | None
    voltage_min: Volts | None
    voltage_max: Volts | None
    clock_drift_s: Annotated[float, Field(ge=1, le=86_400)] | None


LABELS: tuple[tuple[str, str, str], ...] = (
    ("cpu_percent", N_("CPU above"), "%"),
    ("memory_percent", N_("Memory above"), "%"),
    ("disk_percent", N_("Disk above"), "%"),
    ("pool_percent", N_("Address pool above"), "%"),
    ("temperature_c", N_("Temperature above"), "°C"),
    ("clock_drift_s", N_("Clock wrong by more than"), "s"),
    ("voltage_min", N_("Voltage below"), "V"),
    ("voltage_max", N_("Voltage above"), "V"),
)
FIELDS = frozenset({"known_logins", *LimitFields.model_fields})


@router.get("/{router_id}/limits")
async def show_limits(
    request: Request,
    api: PartsDep,
    pages: PagesDep,
    caller: PageInventoryKeeper,
    router_id: str,
    saved: bool = False,
) -> Response:
    """The form."""
    async with api.store.unit() as unit:
        known = (await unit.routers.get(router_id)).entity
    return await _form(request, api, pages, caller, _filled(known), known, saved=saved)


@router.post("/{router_id}/limits")
async def save_limits(
    request: Request, api: PartsDep, pages: PagesDep, caller: PageInventoryKeeper, router_id: str
) -> Response:
    """As wanted, or what is wrong."""
    form = await Filled.sent(request)
    async with api.store.unit() as unit:
        before = (await unit.routers.get(router_id)).entity
    try:
        limits = as_typed(LimitFields, {name: form.number(name) for name in LimitFields.model_fields}).model_dump()
        await _save(api, caller, before, limits, tuple(dict.fromkeys(form.lines("known_logins"))))
    except (RondaError, NotAsTyped) as why:
        return await _form(request, api, pages, caller, form, before, why=why)
    return RedirectResponse(f"/console/routers/{router_id}/limits?saved=true", status_code=303)


async def _save(
    api: Parts, caller: Caller, before: Router, limits: dict[str, float | None], known_logins: tuple[str, ...]
) -> None:
    changed = {name: value for name, value in limits.items() if value != getattr(before.limits, name)}
    wanted = {"known_logins": known_logins} if known_logins != before.known_logins else {}
    if not changed and not wanted:
        return
    async with api.store.unit() as unit:
        await inventory.change_router(
            before.id,
            wanted,
            limits=changed,
            password=None,
            by=caller.name,
            unit=unit,
            clock=api.clock,
            sealer=api.sealer,
        )


def _filled(known: Router) -> Filled:
    numbers = {name: getattr(known.limits, name) for name in LimitFields.model_fields}
    values: dict[str, tuple[str, ...]] = {name: (f"{v:g}",) for name, v in numbers.items() if v is not None}
    return Filled({**values, "known_logins": ("\n".join(known.known_logins),)})


async def _form(
    request: Request,
    api: Parts,
    pages: Pages,
    caller: Caller,
    form: Filled,
    known: Router,
    *,
    saved: bool = False,
    why: RondaError | NotAsTyped | None = None,
) -> Response:
    if why is not None:
        form = form.refused(why, pages.words(pages.reader(request, caller)), FIELDS)
    async with api.store.unit() as unit:
        standing = (await unit.history.routers()).get(known.id)
    context: dict[str, Any] = {"router": known, "standing": standing, "tabs": TABS, "tab": "limits", "saved": saved}
    status = 422 if why else 200
    return pages.page("router_limits.html", request, caller, status=status, form=form, labels=LABELS, **context)
