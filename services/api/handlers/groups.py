"""Groups of hosts that are treated alike wherever they stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.api.core.cursor import PageWish
from services.api.core.faults import StillInUse, refuse_if
from services.api.handlers.entries import add_entry, change_entry, remove_entry
from services.api.handlers.policies import policy_name_faults
from services.api.ports import Kept, Unit
from shared.clock import Clock
from shared.contracts.ids import GroupId, new_id
from shared.contracts.inventory import HostGroup


async def add_group(*, name: str, policy: str, by: str, unit: Unit, clock: Clock) -> Kept[HostGroup]:
    """A new group; without a policy its hosts have their site's."""
    refuse_if(await policy_name_faults("policy", policy, unit))
    group = HostGroup(id=GroupId(new_id()), name=name, policy=policy)
    return await add_entry("group", unit.groups, group, by, unit, clock)


async def change_group(
    group_id: str, wanted: Mapping[str, Any], *, by: str, unit: Unit, clock: Clock
) -> Kept[HostGroup]:
    """A group as wanted."""
    before = (await unit.groups.get(group_id)).entity
    refuse_if(await policy_name_faults("policy", wanted.get("policy"), unit))
    return await change_entry("group", unit.groups, before, wanted, by, unit, clock)


async def remove_group(group_id: str, *, by: str, unit: Unit, clock: Clock) -> None:
    """Take a group out. Raises StillInUse while hosts belong to it."""
    group = (await unit.groups.get(group_id)).entity
    if members := (await unit.hosts.find(PageWish(limit=1), group_id=group_id)).items:
        raise StillInUse(f"{members[0].entity.name} and maybe others belong to {group.name}; take them out first.")
    await remove_entry("group", unit.groups, group, by, unit, clock)
