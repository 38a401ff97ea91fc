"""Probe policies: those that ship, those that were changed, and one's own."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from services.api.console.deps import PageInventoryKeeper, PageReader, PagesDep
from services.api.console.forms import Filled, NotAsTyped, as_typed, changed_fields
from services.api.console.policy_fields import GROUPS, NULLABLE
from services.api.console.rendering import Pages
from services.api.core.field_types import PolicyName
from services.api.core.rights import Caller
from services.api.deps import Parts, PartsDep
from services.api.handlers import policies
from services.api.handlers.policies import KnownPolicy
from shared.contracts.inventory import STANDARD_POLICY, ProbePolicy
from shared.errors import RondaError

router = APIRouter(prefix="/console/policies", include_in_schema=False)
Number = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class PolicyFields(BaseModel):
    """A policy as typed; times are in seconds."""

    interval_s: Number
    max_timeout_s: Number
    burst_size: int
    burst_spacing_s: Number
    second_burst_after_s: Number | None
    recovery_size: int
    recovery_spacing_s: Number
    recovery_answers: int
    hold_s: Number
    blip_s: Number
    payload_bytes: Annotated[int, Field(ge=24, le=65_000)]
    dscp: Annotated[int, Field(ge=0, le=63)]
    quality_window_s: Number
    train_size: int
    train_spacing_s: Number
    train_every_s: Number


class NewName(BaseModel):
    """What a policy of one's own is called."""

    name: PolicyName


FIELDS = frozenset({"name", *PolicyFields.model_fields})


@router.get("")
async def list_policies(request: Request, api: PartsDep, pages: PagesDep, caller: PageReader) -> Response:
    """All of them, by name."""
    async with api.store.unit() as unit:
        known = list((await policies.known_policies(unit)).values())
    return pages.page("network/policies.html", request, caller, policies=known)


@router.get("/new")
async def new_policy(
    request: Request,
    api: PartsDep,
    pages: PagesDep,
    caller: PageInventoryKeeper,
    based_on: Annotated[str, Query(max_length=40)] = STANDARD_POLICY,
) -> Response:
    """A form that begins with the numbers of another one."""
    base = await _known(api, based_on)
    return _form(request, pages, caller, _filled(base.policy, based_on=based_on), None)


@router.post("/new")
async def add_policy(request: Request, api: PartsDep, pages: PagesDep, caller: PageInventoryKeeper) -> Response:
    """One more."""
    form = await Filled.sent(request)
    try:
        name = as_typed(NewName, {"name": form.one("name")}).name
        wanted, based_on = _typed(form).model_dump(), form.one("based_on") or STANDARD_POLICY
        async with api.store.unit() as unit:
            await policies.add_policy(name, wanted, based_on=based_on, by=caller.name, unit=unit, clock=api.clock)
    except (RondaError, NotAsTyped) as why:
        return _form(request, pages, caller, form, None, why=why)
    return RedirectResponse("/console/policies", status_code=303)


@router.get("/{name}")
async def edit_policy(
    request: Request, api: PartsDep, pages: PagesDep, caller: PageInventoryKeeper, name: str
) -> Response:
    """The form of one."""
    known = await _known(api, name)
    return _form(request, pages, caller, _filled(known.policy), known)


@router.post("/{name}")
async def change_policy(
    request: Request, api: PartsDep, pages: PagesDep, caller: PageInventoryKeeper, name: str
) -> Response:
    """As wanted."""
    form, known = await Filled.sent(request), await _known(api, name)
    try:
        wanted = changed_fields(known.policy, _typed(form).model_dump())
        if wanted:
            async with api.store.unit() as unit:
                await policies.change_policy(name, wanted, by=caller.name, unit=unit, clock=api.clock)
    except (RondaError, NotAsTyped) as why:
        return _form(request, pages, caller, form, known, why=why)
    return RedirectResponse("/console/policies", status_code=303)


@router.post("/{name}/remove")
async def remove_policy(
    request: Request, api: PartsDep, pages: PagesDep, caller: PageInventoryKeeper, name: str
) -> Response:
    """Take one's own out, or let one that ships be as it ships again."""
    known = await _known(api, name)
    try:
        async with api.store.unit() as unit:
            await policies.remove_policy(name, by=caller.name, unit=unit, clock=api.clock)
    except RondaError as why:
        return _form(request, pages, caller, _filled(known.policy), known, why=why)
    return RedirectResponse("/console/policies", status_code=303)


def _typed(form: Filled) -> PolicyFields:
    raw: dict[str, Any] = {name: form.number(name) or "" for name in PolicyFields.model_fields}
    return as_typed(PolicyFields, raw | {name: form.number(name) for name in NULLABLE})


def _filled(policy: ProbePolicy, based_on: str = "") -> Filled:
    numbers = {name: getattr(policy, name) for name in PolicyFields.model_fields}
    values = {name: (f"{value:g}",) for name, value in numbers.items() if value is not None}
    return Filled({**values, "based_on": (based_on,)})


async def _known(api: Parts, name: str) -> KnownPolicy:
    async with api.store.unit() as unit:
        return await policies.policy_named(name, unit)


def _form(
    request: Request,
    pages: Pages,
    caller: Caller,
    form: Filled,
    known: KnownPolicy | None,
    why: RondaError | NotAsTyped | None = None,
) -> Response:
    if why is not None:
        form = form.refused(why, pages.words(pages.reader(request, caller)), FIELDS)
    status = 422 if why else 200
    return pages.page("network/policy_form.html", request, caller, status=status, form=form, known=known, groups=GROUPS)
