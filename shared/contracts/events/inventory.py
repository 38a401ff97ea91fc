"""The inventory: what people and programs change in it."""

from __future__ import annotations

from typing import Any, ClassVar

from shared.contracts.events.event import EXAMPLE_TIME, Event


class InventoryChanged(Event):
    """A site, router, host, chat or account was added, changed or removed by a person or a program."""

    NAME: ClassVar[str] = "inventory.changed"
    SCOPE: ClassVar[tuple[str, ...]] = ("entity", "entity_id")
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "at": EXAMPLE_TIME,
        "entity": "router",
        "entity_id": "01r0ut",
        "change": "added",
        "by": "sari",
    }

    entity: str
    entity_id: str
    change: str  # added, changed, removed
    by: str
