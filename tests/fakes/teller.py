"""A teller that keeps what it was told."""

from __future__ import annotations

from services.poller.core.records import Record
from shared.contracts.events import Event


class FakeTeller:
    def __init__(self) -> None:
        self.told: list[Event] = []
        self.memory: dict[str, Record] = {}

    def announce(self, key: str, event: Event) -> None:
        self.told.append(event)

    def tell(self, key: str, event: Event | None, record: Record | None) -> None:
        if event is not None:
            self.told.append(event)
        if record is None:
            self.memory.pop(key, None)
        else:
            self.memory[key] = record
