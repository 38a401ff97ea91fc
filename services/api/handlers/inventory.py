"""Sites, routers, hosts and chats: each change is a row, an entry for the bus and an audit line in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from services.api.core.availability import Change, Counted, counted
from services.api.core.cursor import PageWish
from services.api.core.faults import Fault, StillInUse, refuse_if
from services.api.handlers.audit import changed
from services.api.ports import Kept, Sealer, Table, Unit
from shared.clock import Clock
from shared.contracts.ids import ChatId, HostId, RouterId, SiteId, new_id
from shared.contracts.inventory import Chat, Host, Router, Site
from shared.contracts.vocabulary import ProbeKind
from shared.errors import NotFound

LOGIN_FIELDS = ("host", "port", "username", "tls", "tls_fingerprint")
E = TypeVar("E", Site, Router, Host, Chat)
ROUTER_PASSWORD = "router-password"  # noqa: S105 - the purpose that the seal is bound to


async def add_site(*, name: str, policy: str, by: str, unit: Unit, clock: Clock) -> Kept[Site]:
    """A new site."""
    return await _add("site", unit.sites, Site(id=SiteId(new_id()), name=name, policy=policy), by, unit, clock)


async def change_site(site_id: str, wanted: Mapping[str, Any], *, by: str, unit: Unit, clock: Clock) -> Kept[Site]:
    """A site as wanted."""
    before = (await unit.sites.get(site_id)).entity
    return await _change("site", unit.sites, before, wanted, by, unit, clock)


async def remove_site(site_id: str, *, by: str, unit: Unit, clock: Clock) -> None:
    """Take a site out. Raises StillInUse while it has routers or hosts."""
    await _remove("site", unit.sites, (await unit.sites.get(site_id)).entity, by, unit, clock)


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
    refuse_if(await _site_faults(site_id, unit))
    router = Router.model_validate(
        {**fields, "id": RouterId(new_id()), "site_id": site_id, "sealed_password": sealed_password}
    )
    return await _add("router", unit.routers, router, by, unit, clock)


async def change_router(
    router_id: str,
    wanted: Mapping[str, Any],
    *,
    password: str | None,
    by: str,
    unit: Unit,
    clock: Clock,
    sealer: Sealer,
) -> Kept[Router]:
    """A router as wanted. A new way to log in needs the password again: who may only write must not learn it."""
    before = (await unit.routers.get(router_id)).entity
    unproven = () if password is not None else _password_faults(before, wanted)
    refuse_if([*await _site_faults(wanted.get("site_id"), unit), *unproven])
    sealed = {} if password is None else {"sealed_password": sealer.seal(password, purpose=ROUTER_PASSWORD)}
    return await _change("router", unit.routers, before, {**wanted, **sealed}, by, unit, clock)


async def remove_router(router_id: str, *, by: str, unit: Unit, clock: Clock) -> None:
    """Take a router out. Raises StillInUse while it has accounts: they would stay on it for ever."""
    router = (await unit.routers.get(router_id)).entity
    accounts = await unit.accounts.count_on(router_id)
    if accounts:
        raise StillInUse(f"{router.name} still has {accounts} accounts; delete them first.")
    await unit.history.forget(router_id)
    await _remove("router", unit.routers, router, by, unit, clock)


async def add_host(fields: Mapping[str, Any], *, by: str, unit: Unit, clock: Clock) -> Kept[Host]:
    """A new host; its policy is its site's where it has none of its own."""
    refuse_if([*await _site_faults(fields["site_id"], unit), *await _parent_faults(fields.get("parents"), unit)])
    site = (await unit.sites.get(fields["site_id"])).entity
    policy = fields.get("policy") or site.policy
    host = Host.model_validate({**fields, "id": HostId(new_id()), "policy": policy})
    return await _add("host", unit.hosts, host, by, unit, clock)


async def change_host(host_id: str, wanted: Mapping[str, Any], *, by: str, unit: Unit, clock: Clock) -> Kept[Host]:
    """A host as wanted."""
    before = (await unit.hosts.get(host_id)).entity
    faults = [
        *await _site_faults(wanted.get("site_id"), unit),
        *await _parent_faults(wanted.get("parents"), unit, host_id),
        *_probe_faults(before, wanted),
    ]
    refuse_if(faults)
    kept = await _change("host", unit.hosts, before, wanted, by, unit, clock)
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
    for child in await _all(unit.hosts):
        groups = tuple(group for group in (_without(group, host.id) for group in child.parents) if group)
        if groups != child.parents:
            await _change("host", unit.hosts, child, {"parents": groups}, by, unit, clock)
    await unit.history.forget(host_id)
    await _remove("host", unit.hosts, host, by, unit, clock)


async def add_chat(fields: Mapping[str, Any], *, by: str, unit: Unit, clock: Clock) -> Kept[Chat]:
    """A new chat."""
    refuse_if([fault for site in fields.get("site_ids", ()) for fault in await _site_faults(site, unit, "site_ids")])
    chat = Chat.model_validate({**fields, "id": ChatId(new_id())})
    return await _add("chat", unit.chats, chat, by, unit, clock)


async def change_chat(chat_id: str, wanted: Mapping[str, Any], *, by: str, unit: Unit, clock: Clock) -> Kept[Chat]:
    """A chat as wanted."""
    before = (await unit.chats.get(chat_id)).entity
    refuse_if([f for site in wanted.get("site_ids") or () for f in await _site_faults(site, unit, "site_ids")])
    return await _change("chat", unit.chats, before, wanted, by, unit, clock)


async def remove_chat(chat_id: str, *, by: str, unit: Unit, clock: Clock) -> None:
    """Take a chat out."""
    await _remove("chat", unit.chats, (await unit.chats.get(chat_id)).entity, by, unit, clock)


async def _add(kind: str, table: Table[E], entity: E, by: str, unit: Unit, clock: Clock) -> Kept[E]:
    kept = await table.add(entity, clock.now())
    await unit.announce(entity.key(), entity)
    await changed(unit, clock, by=by, change="added", entity=kind, entity_id=entity.id, name=entity.name)
    return kept


async def _change(
    kind: str, table: Table[E], before: E, wanted: Mapping[str, Any], by: str, unit: Unit, clock: Clock
) -> Kept[E]:
    after = before.model_validate({**before.model_dump(), **wanted})
    kept = await table.replace(after, clock.now())
    await unit.announce(after.key(), after)
    await changed(unit, clock, by=by, change="changed", entity=kind, entity_id=after.id, **wanted)
    return kept


async def _remove(kind: str, table: Table[E], entity: E, by: str, unit: Unit, clock: Clock) -> None:
    await table.remove(entity.id)
    await unit.announce(entity.key(), None)
    await changed(unit, clock, by=by, change="removed", entity=kind, entity_id=entity.id, name=entity.name)


async def _site_for(router_name: str, *, by: str, unit: Unit, clock: Clock) -> str:
    sites = (await unit.sites.find(PageWish(limit=2))).items
    if len(sites) == 1:
        return sites[0].entity.id
    return (await add_site(name=router_name, policy="standard", by=by, unit=unit, clock=clock)).entity.id


async def _site_faults(site_id: str | None, unit: Unit, field: str = "site_id") -> list[Fault]:
    if site_id is None:
        return []
    try:
        await unit.sites.get(site_id)
    except NotFound:
        return [Fault(field, "unknown_site", f"There is no site «{site_id}»; see GET /api/v1/sites.")]
    return []


async def _parent_faults(groups: Any, unit: Unit, host_id: str | None = None) -> list[Fault]:
    faults: list[Fault] = []
    for parent in {parent for group in groups or () for parent in group}:
        if parent == host_id:
            faults.append(Fault("parents", "own_parent", "A host cannot be its own parent."))
            continue
        try:
            await unit.hosts.get(parent)
        except NotFound:
            faults.append(Fault("parents", "unknown_host", f"There is no host «{parent}»; see GET /api/v1/hosts."))
    return faults


def _password_faults(before: Router, wanted: Mapping[str, Any]) -> list[Fault]:
    """Ronda would send the password that it keeps to whatever address stands here, and by whatever protection."""
    moved = [name for name in LOGIN_FIELDS if name in wanted and wanted[name] != getattr(before, name)]
    if not moved:
        return []
    message = f"A new {' and '.join(moved)} needs the router's password again; send it along as «password»."
    return [Fault("password", "password_needed", message)]


def _probe_faults(before: Host, wanted: Mapping[str, Any]) -> list[Fault]:
    probe, port = wanted.get("probe", before.probe), wanted.get("port", before.port)
    if probe is ProbeKind.TCP and port is None:
        return [Fault("port", "port_missing", "A TCP probe needs a port.")]
    if probe is ProbeKind.ICMP and port is not None:
        return [Fault("port", "port_not_used", "An ICMP probe has no port; send port null.")]
    return []


def _without(group: tuple[HostId, ...], host_id: str) -> tuple[HostId, ...]:
    return tuple(member for member in group if member != host_id)


async def _all(table: Table[Host]) -> list[Host]:
    found: list[Host] = []
    page = await table.find(PageWish(limit=500))
    while True:
        found.extend(kept.entity for kept in page.items)
        if page.next_cursor is None:
            return found
        last = page.items[-1].entity
        page = await table.find(PageWish(limit=500, after=(last.name, last.id)))
