"""Announced work: what it names is measured on and not alarmed while it lasts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.api.core.faults import Fault, refuse_if
from services.api.handlers.entries import add_entry, change_entry, id_faults, remove_entry
from services.api.ports import Kept, Unit
from shared.clock import Clock
from shared.contracts.ids import MaintenanceId, new_id
from shared.contracts.inventory import Maintenance

MEMBERS = ("site_ids", "group_ids", "host_ids", "router_ids")


async def add_maintenance(fields: Mapping[str, Any], *, by: str, unit: Unit, clock: Clock) -> Kept[Maintenance]:
    """Announce work."""
    work = Maintenance.model_validate({**fields, "id": MaintenanceId(new_id())})
    refuse_if([*maintenance_faults(work, clock.now()), *await _member_faults(fields, unit)])
    return await add_entry("maintenance", unit.maintenances, work, by, unit, clock)


async def change_maintenance(
    maintenance_id: str, wanted: Mapping[str, Any], *, by: str, unit: Unit, clock: Clock
) -> Kept[Maintenance]:
    """Announced work as wanted; to end it now, say `ends_at` now."""
    before = (await unit.maintenances.get(maintenance_id)).entity
    after = before.model_validate({**before.model_dump(), **wanted})
    now = clock.now() if after.ends_at != before.ends_at and before.begins_at > clock.now() else None
    refuse_if([*maintenance_faults(after, now), *await _member_faults(wanted, unit)])
    return await change_entry("maintenance", unit.maintenances, before, wanted, by, unit, clock)


async def remove_maintenance(maintenance_id: str, *, by: str, unit: Unit, clock: Clock) -> None:
    """Take announced work back; what is down is told then."""
    work = (await unit.maintenances.get(maintenance_id)).entity
    await remove_entry("maintenance", unit.maintenances, work, by, unit, clock)


def maintenance_faults(work: Maintenance, now: datetime | None) -> list[Fault]:
    """What does not hold together. `now` None: work that has begun may be ended whenever that was."""
    faults = []
    if work.ends_at <= work.begins_at:
        faults.append(Fault("ends_at", "ends_before_begin", "Work ends after it begins; send a later «ends_at»."))
    elif now is not None and work.ends_at <= now:
        faults.append(Fault("ends_at", "over_already", "This is over already; send an «ends_at» that is to come."))
    longest_s = (work.ends_at - work.begins_at).total_seconds()
    if work.duration_s is not None and work.duration_s > longest_s > 0:
        message = f"Flexible work of {work.duration_s:g} s does not fit between begin and end ({longest_s:g} s)."
        faults.append(Fault("duration_s", "too_long", message))
    if not any(getattr(work, members) for members in MEMBERS):
        message = "Name at least one site, group, host or router that is worked on."
        faults.append(Fault("site_ids", "nothing_named", message))
    return faults


async def _member_faults(wanted: Mapping[str, Any], unit: Unit) -> list[Fault]:
    return [
        *await id_faults("site_ids", "site", unit.sites, wanted.get("site_ids") or ()),
        *await id_faults("group_ids", "group", unit.groups, wanted.get("group_ids") or ()),
        *await id_faults("host_ids", "host", unit.hosts, wanted.get("host_ids") or ()),
        *await id_faults("router_ids", "router", unit.routers, wanted.get("router_ids") or ()),
    ]
