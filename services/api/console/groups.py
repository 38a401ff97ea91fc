"""Groups of hosts: the list, and the form of one."""

from __future__ import annotations

from collections import Counter
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import RedirectResponse, Response

from services.api.console.deps import PageInventoryKeeper, PageReader, PagesDep
from services.api.console.forms import Filled, NotAsTyped, as_typed
from services.api.console.rendering import Pages
from services.api.core.field_types import Inherited, Name
from services.api.core.rights import Caller
from services.api.deps import Parts, PartsDep
from services.api.handlers import groups
from services.api.handlers.entries import every
from services.api.handlers.policies import known_policies
from shared.contracts.inventory import HostGroup
from shared.errors import RondaError

router = APIRouter(prefix="/console/groups", include_in_schema=False)
FIELDS = frozenset({"name", "policy"})


class GroupFields(BaseModel):
    """A group as typed."""

    name: Name
    policy: Inherited


@router.get("")
async def list_groups(request: Request, api: PartsDep, pages: PagesDep, caller: PageReader) -> Response:
    """All groups, by name."""
    async with api.store.unit() as unit:
        found = await every(unit.groups)
        members = Counter(host.group_id for host in await every(unit.hosts))
    return pages.page("network/groups.html", request, caller, groups=found, members=members)


@router.get("/new")
async def new_group(request: Request, api: PartsDep, pages: PagesDep, caller: PageInventoryKeeper) -> Response:
    """An empty form."""
    return await _form(request, api, pages, caller, Filled({}), None)


@router.post("/new")
async def add_group(request: Request, api: PartsDep, pages: PagesDep, caller: PageInventoryKeeper) -> Response:
    """A new group."""
    form = await Filled.sent(request)
    try:
        typed = _typed(form)
        async with api.store.unit() as unit:
            await groups.add_group(name=typed.name, policy=typed.policy, by=caller.name, unit=unit, clock=api.clock)
    except (RondaError, NotAsTyped) as why:
        return await _form(request, api, pages, caller, form, None, why=why)
    return RedirectResponse("/console/groups", status_code=303)


@router.get("/{group_id}")
async def edit_group(
    request: Request, api: PartsDep, pages: PagesDep, caller: PageInventoryKeeper, group_id: str
) -> Response:
    """The form of a group."""
    group = await _group(api, group_id)
    return await _form(request, api, pages, caller, Filled({"name": [group.name], "policy": [group.policy]}), group)


@router.post("/{group_id}")
async def change_group(
    request: Request, api: PartsDep, pages: PagesDep, caller: PageInventoryKeeper, group_id: str
) -> Response:
    """A group as wanted."""
    form = await Filled.sent(request)
    try:
        wanted = _typed(form).model_dump()
        async with api.store.unit() as unit:
            await groups.change_group(group_id, wanted, by=caller.name, unit=unit, clock=api.clock)
    except (RondaError, NotAsTyped) as why:
        return await _form(request, api, pages, caller, form, await _group(api, group_id), why=why)
    return RedirectResponse("/console/groups", status_code=303)


@router.post("/{group_id}/remove")
async def remove_group(
    request: Request, api: PartsDep, pages: PagesDep, caller: PageInventoryKeeper, group_id: str
) -> Response:
    """Take a group out that nobody belongs to."""
    group = await _group(api, group_id)
    try:
        async with api.store.unit() as unit:
            await groups.remove_group(group_id, by=caller.name, unit=unit, clock=api.clock)
    except RondaError as why:
        filled = Filled({"name": [group.name], "policy": [group.policy]})
        return await _form(request, api, pages, caller, filled, group, why=why)
    return RedirectResponse("/console/groups", status_code=303)


def _typed(form: Filled) -> GroupFields:
    return as_typed(GroupFields, {"name": form.one("name"), "policy": form.one("policy")})


async def _group(api: Parts, group_id: str) -> HostGroup:
    async with api.store.unit() as unit:
        return (await unit.groups.get(group_id)).entity


async def _form(
    request: Request,
    api: Parts,
    pages: Pages,
    caller: Caller,
    form: Filled,
    group: HostGroup | None,
    why: RondaError | NotAsTyped | None = None,
) -> Response:
    if why is not None:
        form = form.refused(why, pages.words(pages.reader(request, caller)), FIELDS)
    async with api.store.unit() as unit:
        context: dict[str, Any] = {"policies": [*await known_policies(unit)], "group": group, "form": form}
        if group is not None:
            context["members"] = [host for host in await every(unit.hosts) if host.group_id == group.id]
    return pages.page("network/group_form.html", request, caller, status=422 if why else 200, **context)
