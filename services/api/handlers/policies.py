"""Probe policies: those that ship, those that somebody changed, and those that somebody made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.api.core.cursor import PageWish
from services.api.core.faults import Fault, NameTaken, Shipped, StillInUse, refuse_if
from services.api.core.probe_policies import policy_faults
from services.api.handlers.audit import changed
from services.api.handlers.entries import every
from services.api.ports import Table, Unit
from shared.clock import Clock
from shared.contracts.inventory import PROBE_POLICIES, ProbePolicy
from shared.contracts.message import Contract
from shared.errors import NotFound


@dataclass(frozen=True, slots=True)
class KnownPolicy:
    """A policy as it holds now. `changed_at` None: as it ships."""

    policy: ProbePolicy
    changed_at: datetime | None = None

    @property
    def shipped(self) -> bool:
        """Whether one of this name ships."""
        return self.policy.name in PROBE_POLICIES


async def known_policies(unit: Unit) -> dict[str, KnownPolicy]:
    """Every policy by name, in the order of names."""
    own = {policy.name: policy for policy in await every(unit.policies)}
    rows = {name: KnownPolicy(policy, (await unit.policies.get(name)).changed_at) for name, policy in own.items()}
    known = {**{name: KnownPolicy(policy) for name, policy in PROBE_POLICIES.items()}, **rows}
    return dict(sorted(known.items()))


async def policy_named(name: str, unit: Unit) -> KnownPolicy:
    """Raises NotFound."""
    try:
        kept = await unit.policies.get(name)
    except NotFound:
        if name in PROBE_POLICIES:
            return KnownPolicy(PROBE_POLICIES[name])
        raise
    return KnownPolicy(kept.entity, kept.changed_at)


async def add_policy(
    name: str, wanted: Mapping[str, Any], *, based_on: str, by: str, unit: Unit, clock: Clock
) -> KnownPolicy:
    """A policy of one's own: what is not said is as in the one that it is based on."""
    if name in PROBE_POLICIES:
        raise NameTaken(
            f"«{name}» ships with Ronda; change it with PATCH /api/v1/policies/{name}, or take another name."
        )
    refuse_if(await policy_name_faults("based_on", based_on, unit))
    base = (await policy_named(based_on, unit)).policy
    policy = _as_wanted(base, {**wanted, "name": name})
    kept = await unit.policies.add(policy, clock.now())
    return await _said(kept.entity, kept.changed_at, "added", by, unit, clock)


async def change_policy(name: str, wanted: Mapping[str, Any], *, by: str, unit: Unit, clock: Clock) -> KnownPolicy:
    """A policy as wanted; one that ships is overridden from now on."""
    known = await policy_named(name, unit)
    policy, now = _as_wanted(known.policy, wanted), clock.now()
    keep = unit.policies.add if known.changed_at is None else unit.policies.replace
    await keep(policy, now)
    return await _said(policy, now, "changed", by, unit, clock, **wanted)


async def remove_policy(name: str, *, by: str, unit: Unit, clock: Clock) -> None:
    """Take a policy out; one that ships and was overridden is again as it ships.

    Raises Shipped for one that is as it ships, and StillInUse for one's own that something is watched by.
    """
    known = await policy_named(name, unit)
    if known.changed_at is None:
        raise Shipped(f"«{name}» ships with Ronda and stays; what nobody refers to does no harm.")
    users = [] if known.shipped else await _users(name, unit)
    if users:
        raise StillInUse(f"«{name}» is the policy of {', '.join(users)}; give them another one first.")
    await unit.policies.remove(name)
    await unit.announce(known.policy.key(), PROBE_POLICIES.get(name))
    await changed(unit, clock, by=by, change="removed", entity="policy", entity_id=name, name=name)


async def policy_name_faults(field: str, name: str | None, unit: Unit) -> list[Fault]:
    """Whether there is such a policy; nothing named is no fault."""
    if not name or name in PROBE_POLICIES:
        return []
    known = await known_policies(unit)
    if name in known:
        return []
    return [Fault(field, "unknown_policy", f"There is no policy «{name}»; choose one of {', '.join(known)}.")]


def _as_wanted(base: ProbePolicy, wanted: Mapping[str, Any]) -> ProbePolicy:
    policy = base.model_copy(update=dict(wanted))  # the bounds of the contract are narrower ones of ours, said in words
    refuse_if(policy_faults(policy))
    return policy


async def _said(
    policy: ProbePolicy, at: datetime, change: str, by: str, unit: Unit, clock: Clock, **detail: Any
) -> KnownPolicy:
    await unit.announce(policy.key(), policy)
    detail = detail or {"name": policy.name}
    await changed(unit, clock, by=by, change=change, entity="policy", entity_id=policy.name, **detail)
    return KnownPolicy(policy, at)


async def _users(name: str, unit: Unit) -> list[str]:
    """The first few that are watched by this policy, by their names."""
    tables: tuple[tuple[str, Table[Any]], ...] = (
        ("the site", unit.sites),
        ("the group", unit.groups),
        ("the host", unit.hosts),
    )
    return [
        f"{what} {_name(kept.entity)}"
        for what, table in tables
        for kept in (await table.find(PageWish(limit=3), policy=name)).items
    ]


def _name(entity: Contract) -> str:
    return str(getattr(entity, "name", ""))
