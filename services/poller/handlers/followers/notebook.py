"""What is remembered of one router besides whether it can be asked, as it lies in the bucket `state`."""

from __future__ import annotations

from typing import TypeVar

from services.poller.core.records import Record, read_record
from services.poller.core.router_records import seen_key
from services.poller.handlers.telling import Teller
from shared.contracts.events import Event
from shared.contracts.ids import RouterId

R = TypeVar("R", bound=Record)


class Notebook:
    """The records below `seen.<router>.`. `entries` outlives the watcher: what is written here is there next time."""

    def __init__(self, router_id: RouterId, entries: dict[str, bytes], teller: Teller) -> None:
        self._router_id = router_id
        self._entries = entries
        self._teller = teller

    def all(self, kind: str, record: type[R]) -> list[R]:
        """The records of one kind that can be read."""
        prefix = seen_key(self._router_id, kind) + "."
        found = (read_record(record, value) for key, value in self._entries.items() if key.startswith(prefix))
        return [one for one in found if one is not None]

    def one(self, kind: str, record: type[R]) -> R | None:
        """The record of a kind that has no parts."""
        value = self._entries.get(seen_key(self._router_id, kind))
        return None if value is None else read_record(record, value)

    def tell(self, kind: str, part: str, event: Event | None, record: Record | None) -> None:
        """Tell (or only remember) something, in order with what was told under the same kind and part before."""
        key = seen_key(self._router_id, kind, part)
        if record is None and event is None and key not in self._entries:
            return
        if record is None:
            self._entries.pop(key, None)
        else:
            self._entries[key] = record.encoded()
        self._teller.tell(key, event, record)
