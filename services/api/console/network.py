"""The watched hosts: the list, and the forms that add, change and remove one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from services.api.console import host_forms
from services.api.console.deps import PageInventoryKeeper, PageReader, PagesDep
from services.api.console.forms import Filled, NotAsTyped, changed_fields
from services.api.console.rendering import Pages
from services.api.core.announced import work_at
from services.api.core.probe_fields import RECORDS
from services.api.core.rights import Caller
from services.api.deps import Parts, PartsDep
from services.api.handlers import hosts
from services.api.handlers.entries import every
from services.api.handlers.policies import known_policies
from services.api.ports import Unit
from shared.contracts.inventory import Host
from shared.contracts.vocabulary import HostState, ProbeKind
from shared.errors import RondaError

router = APIRouter(prefix="/console/hosts", include_in_schema=False)
PAGE_ROWS = 100


@dataclass(frozen=True, slots=True)
class HostLine:
    """One row of the list."""

    host: Host
    state: HostState
    site: str
    group: str
    policy: str


@router.get("")
async def list_hosts(
    request: Request,
    api: PartsDep,
    pages: PagesDep,
    caller: PageReader,
    q: Annotated[str, Query(max_length=100)] = "",
    offset: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """Hosts by name, with how each is watched."""
    async with api.store.unit() as unit:
        lines = await _lines(unit, api)
    wish = q.strip().casefold()
    found = [line for line in lines if wish in _searched(line)]
    shown = found[offset : offset + PAGE_ROWS]
    context: dict[str, Any] = {"lines": shown, "total": len(found), "offset": offset, "q": q.strip()}
    return pages.page("network/hosts.html", request, caller, page_rows=PAGE_ROWS, **context)


@router.get("/new")
async def new_host(request: Request, api: PartsDep, pages: PagesDep, caller: PageInventoryKeeper) -> Response:
    """An empty form."""
    async with api.store.unit() as unit:
        sites = await every(unit.sites)
        form = host_forms.blank_host(sites[0].id if sites else "")
        return await _form(request, pages, caller, unit, form, None)


@router.post("/new")
async def add_host(request: Request, api: PartsDep, pages: PagesDep, caller: PageInventoryKeeper) -> Response:
    """Watch it, or show what is wrong."""
    form = await Filled.sent(request)
    try:
        wanted = host_forms.typed_host(form).wanted()
        async with api.store.unit() as unit:
            added = await hosts.add_host(wanted, by=caller.name, unit=unit, clock=api.clock)
    except (RondaError, NotAsTyped) as why:
        return await _again(request, api, pages, caller, form, why, None)
    return RedirectResponse(f"/console/hosts/{added.entity.id}", status_code=303)


@router.get("/{host_id}/edit")
async def edit_host(
    request: Request, api: PartsDep, pages: PagesDep, caller: PageInventoryKeeper, host_id: str
) -> Response:
    """The form with what the host is now."""
    async with api.store.unit() as unit:
        host = (await unit.hosts.get(host_id)).entity
        return await _form(request, pages, caller, unit, host_forms.filled_host(host), host)


@router.post("/{host_id}/edit")
async def change_host(
    request: Request, api: PartsDep, pages: PagesDep, caller: PageInventoryKeeper, host_id: str
) -> Response:
    """As wanted, or show what is wrong."""
    form = await Filled.sent(request)
    async with api.store.unit() as unit:
        before = (await unit.hosts.get(host_id)).entity
    try:
        wanted = changed_fields(before, host_forms.typed_host(form).wanted())
        if wanted:
            async with api.store.unit() as unit:
                await hosts.change_host(host_id, wanted, by=caller.name, unit=unit, clock=api.clock)
    except (RondaError, NotAsTyped) as why:
        return await _again(request, api, pages, caller, form, why, before)
    return RedirectResponse(f"/console/hosts/{host_id}", status_code=303)


@router.post("/{host_id}/remove")
async def remove_host(api: PartsDep, caller: PageInventoryKeeper, host_id: str) -> Response:
    """Stop watching it."""
    async with api.store.unit() as unit:
        await hosts.remove_host(host_id, by=caller.name, unit=unit, clock=api.clock)
    return RedirectResponse("/console/hosts", status_code=303)


async def _lines(unit: Unit, api: Parts) -> list[HostLine]:
    sites = {site.id: site.name for site in await every(unit.sites)}
    groups = {group.id: group.name for group in await every(unit.groups)}
    standings, in_force = await unit.history.hosts(), await hosts.policies_in_force(unit)
    work = await unit.history.work(api.clock.now())
    found = []
    for host in await every(unit.hosts):
        standing = standings.get(host.id)
        told = standing.shown if standing else HostState.UNKNOWN
        state = HostState.MAINTENANCE if work_at(host, work) else told
        group = groups.get(host.group_id, "") if host.group_id else ""
        found.append(HostLine(host, state, sites.get(host.site_id, ""), group, in_force(host)))
    return found


def _searched(line: HostLine) -> str:
    return " ".join((line.host.name, line.host.address, line.site, line.group, line.policy)).casefold()


async def _again(
    request: Request,
    api: Parts,
    pages: Pages,
    caller: Caller,
    form: Filled,
    why: RondaError | NotAsTyped,
    host: Host | None,
) -> Response:
    words = pages.words(pages.reader(request, caller))
    async with api.store.unit() as unit:
        return await _form(request, pages, caller, unit, form.refused(why, words, host_forms.FIELDS), host, status=422)


async def _form(
    request: Request, pages: Pages, caller: Caller, unit: Unit, form: Filled, host: Host | None, status: int = 200
) -> Response:
    others = [other for other in await every(unit.hosts) if host is None or other.id != host.id]
    chosen = set(form.many("parents"))
    context: dict[str, Any] = {
        "sites": await every(unit.sites),
        "groups": await every(unit.groups),
        "routers": await every(unit.routers),
        "policies": [*await known_policies(unit)],
        "others": sorted(others, key=lambda other: (other.id not in chosen, other.name)),
        "entangled": host is not None and host_forms.need_of(host) == host_forms.NEED_AS_IT_IS,
        "kinds": list(ProbeKind),
        "records": RECORDS,
    }
    return pages.page("network/host_form.html", request, caller, status=status, form=form, host=host, **context)
