"""Probe policies: how patiently hosts are watched."""

from __future__ import annotations

from fastapi import APIRouter, Response

from services.api.deps import InventoryKeeper, OnceDep, PartsDep, Reader
from services.api.handlers import policies
from services.api.ports import Unit
from services.api.routes.schemas.policies import PoliciesView, PolicyNew, PolicyPatch, PolicyView

router = APIRouter(prefix="/policies", tags=["inventory"])


@router.get("")
async def list_policies(api: PartsDep, _: Reader, name: str | None = None) -> PoliciesView:
    """All policies, by name: those that ship, those that were changed, and one's own."""
    async with api.store.unit() as unit:
        known = (await policies.known_policies(unit)).values()
    return PoliciesView(items=[PolicyView.of(one) for one in known if name in (None, one.policy.name)])


@router.post("", status_code=201, response_model=PolicyView)
async def add_policy(api: PartsDep, caller: InventoryKeeper, once: OnceDep, body: PolicyNew) -> Response:
    """Add a policy of one's own."""

    async def work(unit: Unit) -> PolicyView:
        added = await policies.add_policy(
            body.name, body.said(), based_on=body.based_on, by=caller.name, unit=unit, clock=api.clock
        )
        return PolicyView.of(added)

    return await once.run(work, status=201)


@router.get("/{name}")
async def get_policy(api: PartsDep, _: Reader, name: str) -> PolicyView:
    """One policy as it holds now."""
    async with api.store.unit() as unit:
        return PolicyView.of(await policies.policy_named(name, unit))


@router.patch("/{name}")
async def change_policy(api: PartsDep, caller: InventoryKeeper, name: str, body: PolicyPatch) -> PolicyView:
    """Change a policy; one that ships is overridden from now on."""
    async with api.store.unit() as unit:
        changed = await policies.change_policy(name, body.said(), by=caller.name, unit=unit, clock=api.clock)
        return PolicyView.of(changed)


@router.delete("/{name}", status_code=204)
async def remove_policy(api: PartsDep, caller: InventoryKeeper, name: str) -> None:
    """Remove a policy of one's own that nothing is watched by, or let one that ships be as it ships again."""
    async with api.store.unit() as unit:
        await policies.remove_policy(name, by=caller.name, unit=unit, clock=api.clock)
