"""Watched hosts: what each hangs on, how it is asked, and by which policy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from services.api.core.availability import Change, Counted, counted
from services.api.core.faults import Fault, refuse_if
from services.api.core.parents import cycle_through
from services.api.core.probe_fields import probe_faults
from services.api.handlers.entries import add_entry, change_entry, every, id_faults, remove_entry
from services.api.handlers.policies import known_policies, policy_name_faults
from services.api.ports import Kept, Unit
from shared.clock import Clock
from shared.contracts.ids import HostId, new_id
from shared.contracts.inventory import Host, policy_in_force


async def add_host(fields: Mapping[str, Any], *, by: str, unit: Unit, clock: Clock) -> Kept[Host]:
    """A new host; without a policy of its own it has its group's, else its site's."""
    host = Host.model_validate({**fields, "id": HostId(new_id()), "policy": fields.get("policy") or ""})
    refuse_if([*await _reference_faults(fields, unit), *probe_faults(host)])
    return await add_entry("host", unit.hosts, host, by, unit, clock)


async def change_host(host_id: str, wanted: Mapping[str, Any], *, by: str, unit: Unit, clock: Clock) -> Kept[Host]:
    """A host as wanted."""
    before = (await unit.hosts.get(host_id)).entity
    after = before.model_validate({**before.model_dump(), **wanted})
    faults = [*await _reference_faults(wanted, unit), *probe_faults(after)]
    if not faults and "parents" in wanted:
        faults = await _cycle_faults(after, unit)
    refuse_if(faults)
    kept = await change_entry("host", unit.hosts, before, wanted, by, unit, clock)
    if kept.entity.enabled is not before.enabled:
        await _note_watched(kept.entity, unit, clock)
    return kept


async def _note_watched(host: Host, unit: Unit, clock: Clock) -> None:
    """Nobody knows how a host is that is not watched; watched again, it is as it was until something else is told."""
    standing = (await unit.history.hosts()).get(host.id)
    if standing is not None:
        state = counted(standing.state) if host.enabled else Counted.UNKNOWN
        await unit.measured.note_change(host.id, Change(clock.now(), standing.transition, state))


async def remove_host(host_id: str, *, by: str, unit: Unit, clock: Clock) -> None:
    """Take a host out; where it was a parent it is forgotten."""
    host = (await unit.hosts.get(host_id)).entity
    for child in await every(unit.hosts):
        groups = tuple(group for group in (_without(group, host.id) for group in child.parents) if group)
        if groups != child.parents:
            await change_entry("host", unit.hosts, child, {"parents": groups}, by, unit, clock)
    await unit.history.forget(host_id)
    await remove_entry("host", unit.hosts, host, by, unit, clock)


async def policies_in_force(unit: Unit) -> Callable[[Host], str]:
    """By which policy each host is watched now, as the poller finds it."""
    sites = {site.id: site for site in await every(unit.sites)}
    groups = {group.id: group for group in await every(unit.groups)}
    known = await known_policies(unit)

    def of(host: Host) -> str:
        group = groups.get(host.group_id) if host.group_id else None
        return policy_in_force(host, group, sites.get(host.site_id), known)

    return of


async def _reference_faults(wanted: Mapping[str, Any], unit: Unit) -> list[Fault]:
    """What is named and does not exist."""
    parents = {parent for group in wanted.get("parents") or () for parent in group}
    return [
        *await id_faults("site_id", "site", unit.sites, _named(wanted, "site_id")),
        *await id_faults("group_id", "group", unit.groups, _named(wanted, "group_id")),
        *await id_faults("via_router", "router", unit.routers, _named(wanted, "via_router")),
        *await id_faults("parents", "host", unit.hosts, parents),
        *await policy_name_faults("policy", wanted.get("policy"), unit),
    ]


async def _cycle_faults(host: Host, unit: Unit) -> list[Fault]:
    """A host that hangs on itself, over whatever others."""
    if any(host.id in group for group in host.parents):
        return [Fault("parents", "own_parent", "A host cannot be its own parent.")]
    others = {other.id: other for other in await every(unit.hosts)}
    way = cycle_through(host.id, host.parents, {other.id: other.parents for other in others.values()})
    if not way:
        return []
    names = " → ".join(others[member].name if member in others else host.name for member in way)
    message = f"These would hang on each other: {names}. Take one of them out of «parents»."
    return [Fault("parents", "parent_cycle", message)]


def _named(wanted: Mapping[str, Any], field: str) -> tuple[str, ...]:
    value = wanted.get(field)
    return () if value is None else (value,)


def _without(group: tuple[HostId, ...], host_id: str) -> tuple[HostId, ...]:
    return tuple(member for member in group if member != host_id)
