"""Sites, routers and chats. Hosts, groups, policies and announced work have files of their own."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from services.api.core.cursor import PageWish
from services.api.core.faults import Fault, StillInUse, refuse_if
from services.api.core.router_fields import login_network_faults, voltage_faults
from services.api.handlers.entries import add_entry, change_entry, id_faults, remove_entry
from services.api.handlers.policies import policy_name_faults
from services.api.ports import Kept, Sealer, Unit
from shared.clock import Clock
from shared.contracts.ids import ChatId, RouterId, SiteId, new_id
from shared.contracts.inventory import Chat, Router, RouterLimits, Site

LOGIN_FIELDS = ("host", "port", "username", "tls", "tls_fingerprint")
ROUTER_PASSWORD = "router-password"  # noqa: S105 - the purpose that the seal is bound to


async def add_site(*, name: str, policy: str, by: str, unit: Unit, clock: Clock) -> Kept[Site]:
    """A new site."""
    refuse_if(await policy_name_faults("policy", policy, unit))
    return await add_entry("site", unit.sites, Site(id=SiteId(new_id()), name=name, policy=policy), by, unit, clock)


async def change_site(site_id: str, wanted: Mapping[str, Any], *, by: str, unit: Unit, clock: Clock) -> Kept[Site]:
    """A site as wanted."""
    before = (await unit.sites.get(site_id)).entity
    refuse_if(await policy_name_faults("policy", wanted.get("policy"), unit))
    return await change_entry("site", unit.sites, before, wanted, by, unit, clock)


async def remove_site(site_id: str, *, by: str, unit: Unit, clock: Clock) -> None:
    """Take a site out. Raises StillInUse while it has routers or hosts."""
    await remove_entry("site", unit.sites, (await unit.sites.get(site_id)).entity, by, unit, clock)


async def add_router(
    fields: Mapping[str, Any], *, password: str, by: str, unit: Unit, clock: Clock, sealer: Sealer
) -> Kept[Router]:
    """A new router; without a site it goes to the only one, or to one that is made for it."""
    sealed = sealer.seal(password, purpose=ROUTER_PASSWORD)
    return await add_sealed_router(fields, sealed_password=sealed, by=by, unit=unit, clock=clock)


async def add_sealed_router(
    fields: Mapping[str, Any], *, sealed_password: str, by: str, unit: Unit, clock: Clock
) -> Kept[Router]:
    """As `add_router`, where the password was sealed when the router was tried."""
    site_id = fields.get("site_id") or await _site_for(fields["name"], by=by, unit=unit, clock=clock)
    refuse_if(
        [
            *await id_faults("site_id", "site", unit.sites, [site_id]),
            *login_network_faults(fields.get("known_logins") or ()),
        ]
    )
    router = Router.model_validate(
        {**fields, "id": RouterId(new_id()), "site_id": site_id, "sealed_password": sealed_password}
    )
    refuse_if(voltage_faults(router.limits))
    return await add_entry("router", unit.routers, router, by, unit, clock)


async def change_router(
    router_id: str,
    wanted: Mapping[str, Any],
    *,
    password: str | None,
    limits: Mapping[str, float | None] = MappingProxyType({}),
    by: str,
    unit: Unit,
    clock: Clock,
    sealer: Sealer,
) -> Kept[Router]:
    """A router as wanted; of its limits those that are named.

    A new way to log in needs the password again: who may only write must not learn it.
    """
    before = (await unit.routers.get(router_id)).entity
    unproven = () if password is not None else _password_faults(before, wanted)
    site_ids = [wanted["site_id"]] if wanted.get("site_id") else []
    faults = await id_faults("site_id", "site", unit.sites, site_ids)
    refuse_if([*faults, *unproven, *login_network_faults(wanted.get("known_logins") or ())])
    if limits:
        wanted = {**wanted, "limits": before.limits.model_dump() | dict(limits)}
        refuse_if(voltage_faults(RouterLimits.model_validate(wanted["limits"])))
    sealed = {} if password is None else {"sealed_password": sealer.seal(password, purpose=ROUTER_PASSWORD)}
    return await change_entry("router", unit.routers, before, {**wanted, **sealed}, by, unit, clock)


async def remove_router(router_id: str, *, by: str, unit: Unit, clock: Clock) -> None:
    """Take a router out. Raises StillInUse while it has accounts: they would stay on it for ever."""
    router = (await unit.routers.get(router_id)).entity
    accounts = await unit.accounts.count_on(router_id)
    if accounts:
        raise StillInUse(f"{router.name} still has {accounts} accounts; delete them first.")
    watched = (await unit.hosts.find(PageWish(limit=1), via_router=router_id)).items
    if watched:
        raise StillInUse(f"{watched[0].entity.name} and maybe others are watched by {router.name}; change them first.")
    await unit.history.forget(router_id)
    await remove_entry("router", unit.routers, router, by, unit, clock)


async def add_chat(fields: Mapping[str, Any], *, by: str, unit: Unit, clock: Clock) -> Kept[Chat]:
    """A new chat."""
    refuse_if(await id_faults("site_ids", "site", unit.sites, fields.get("site_ids", ())))
    chat = Chat.model_validate({**fields, "id": ChatId(new_id())})
    return await add_entry("chat", unit.chats, chat, by, unit, clock)


async def change_chat(chat_id: str, wanted: Mapping[str, Any], *, by: str, unit: Unit, clock: Clock) -> Kept[Chat]:
    """A chat as wanted."""
    before = (await unit.chats.get(chat_id)).entity
    refuse_if(await id_faults("site_ids", "site", unit.sites, wanted.get("site_ids") or ()))
    return await change_entry("chat", unit.chats, before, wanted, by, unit, clock)


async def remove_chat(chat_id: str, *, by: str, unit: Unit, clock: Clock) -> None:
    """Take a chat out."""
    await remove_entry("chat", unit.chats, (await unit.chats.get(chat_id)).entity, by, unit, clock)


async def _site_for(router_name: str, *, by: str, unit: Unit, clock: Clock) -> str:
    sites = (await unit.sites.find(PageWish(limit=2))).items
    if len(sites) == 1:
        return sites[0].entity.id
    return (await add_site(name=router_name, policy="standard", by=by, unit=unit, clock=clock)).entity.id


def _password_faults(before: Router, wanted: Mapping[str, Any]) -> list[Fault]:
    """Ronda would send the password that it keeps to whatever address stands here, and by whatever protection."""
    moved = [name for name in LOGIN_FIELDS if name in wanted and wanted[name] != getattr(before, name)]
    if not moved:
        return []
    message = f"A new {' and '.join(moved)} needs the router's password again; send it along as «password»."
    return [Fault("password", "password_needed", message)]
