"""A fact on its way: the event, what to remember after it, in whose name it is told; and who keeps it over a crash."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from services.poller.core.records import Record
from services.poller.core.shards import Part
from services.poller.handlers.claims import Claim
from shared.contracts.events import Event


@dataclass(frozen=True, slots=True)
class Told:
    """`event` None: nothing to tell, only to remember. `record` None: nothing is left to remember under the key."""

    key: str
    event: Event | None
    record: Record | None
    claim: Claim | None = None
    remembers: bool = True
    number: int = 0  # in the spool, where there is one

    def belongs_to(self, parts: Collection[Part] | None) -> bool:
        """Whether this is of one of these parts (None: of any)."""
        return parts is None or (self.claim is not None and self.claim.part in parts)


class Journal(Protocol):
    """Keeps what waits, so that a crash while the bus is away forgets nothing."""

    def saw(self, told: Told) -> Told:
        """Keep it; answers it with its number."""
        ...

    def told(self, told: Told) -> None:
        """It need not be kept any longer."""
        ...


class NoJournal:
    """For a poller close to the bus: what it has not told when it crashes, its successor sees by looking."""

    def saw(self, told: Told) -> Told:
        """As it is."""
        return told

    def told(self, told: Told) -> None:
        """Nothing was kept."""
