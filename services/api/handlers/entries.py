"""One entry of the inventory: each change is a row, an entry for the bus and an audit line in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from services.api.core.cursor import PageWish
from services.api.core.faults import Fault
from services.api.handlers.audit import changed
from services.api.ports import Entity, Kept, Table, Unit
from shared.clock import Clock
from shared.contracts.inventory import Chat, Host, HostGroup, Maintenance, Router, Site
from shared.contracts.message import Contract
from shared.errors import NotFound

E = TypeVar("E", Site, Router, Host, Chat, HostGroup, Maintenance)
T = TypeVar("T", bound=Contract)


async def add_entry(kind: str, table: Table[E], entity: E, by: str, unit: Unit, clock: Clock) -> Kept[E]:
    """A new entry. Raises NameTaken."""
    kept = await table.add(entity, clock.now())
    await unit.announce(entity.key(), entity)
    await changed(unit, clock, by=by, change="added", entity=kind, entity_id=entity.id, name=name_of(entity))
    return kept


async def change_entry(
    kind: str, table: Table[E], before: E, wanted: Mapping[str, Any], by: str, unit: Unit, clock: Clock
) -> Kept[E]:
    """An entry as wanted. Raises NameTaken."""
    after = before.model_validate({**before.model_dump(), **wanted})
    kept = await table.replace(after, clock.now())
    await unit.announce(after.key(), after)
    await changed(unit, clock, by=by, change="changed", entity=kind, entity_id=after.id, **wanted)
    return kept


async def remove_entry(kind: str, table: Table[E], entity: E, by: str, unit: Unit, clock: Clock) -> None:
    """Take an entry out. Raises StillInUse where another one needs it."""
    await table.remove(entity.id)
    await unit.announce(entity.key(), None)
    await changed(unit, clock, by=by, change="removed", entity=kind, entity_id=entity.id, name=name_of(entity))


def name_of(entity: Entity) -> str:
    """What people call it."""
    return entity.title if isinstance(entity, Maintenance) else entity.name


async def every(table: Table[T]) -> list[T]:
    """All entries of a kind, page by page, in the table's order."""
    found: list[T] = []
    page = await table.find(PageWish(limit=500))
    while True:
        found.extend(kept.entity for kept in page.items)
        if page.next_cursor is None:
            return found
        last: Any = page.items[-1].entity
        after = (last.name, last.name) if not hasattr(last, "id") else (name_of(last), last.id)
        page = await table.find(PageWish(limit=500, after=after))


async def id_faults(field: str, kind: str, table: Table[T], ids: Iterable[str]) -> list[Fault]:
    """One fault for each id that the table does not have."""
    faults = []
    for entry_id in sorted(set(ids)):
        try:
            await table.get(entry_id)
        except NotFound:
            message = f"There is no {kind} «{entry_id}»; see GET /api/v1/{kind}s."
            faults.append(Fault(field, f"unknown_{kind}", message))
    return faults
