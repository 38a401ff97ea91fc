"""One way to write down who did what."""

from __future__ import annotations

from typing import Any

from services.api.ports import AuditLine, Unit
from shared.clock import Clock
from shared.contracts.events import InventoryChanged
from shared.contracts.ids import new_id

SECRET_FIELDS = frozenset({"password", "sealed_password", "password_hash"})


async def note(unit: Unit, clock: Clock, *, by: str, action: str, entity: str, entity_id: str, **detail: Any) -> None:
    """Write an audit line. A secret's value is replaced; that it was changed stays visible."""
    shown = {name: "***" if name in SECRET_FIELDS else _plain(value) for name, value in detail.items()}
    await unit.audit(AuditLine(new_id(), clock.now(), by, action, entity, entity_id, shown))


async def changed(
    unit: Unit, clock: Clock, *, by: str, change: str, entity: str, entity_id: str, **detail: Any
) -> None:
    """Write an audit line and tell the bus that the inventory changed."""
    await note(unit, clock, by=by, action=f"{entity}.{change}", entity=entity, entity_id=entity_id, **detail)
    event = InventoryChanged(at=clock.now(), entity=entity, entity_id=entity_id, change=change, by=by)
    await unit.publish(event)


def _plain(value: Any) -> Any:
    if isinstance(value, set | frozenset | tuple | list):
        return sorted(str(part) for part in value)
    return value if isinstance(value, str | int | float | bool | None) else str(value)
