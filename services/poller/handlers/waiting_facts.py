"""A fact on its way: the event, what to remember after it, in whose name it is told; and who keeps it over a crash."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from services.poller.core.records import Record
from services.poller.core.shards import Part, Table
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


@dataclass
class Spooled:
    """What an earlier life of this poller left: by key what was last known, and what was not told, in order."""

    records: dict[str, Record] = field(default_factory=dict)
    waiting: list[Told] = field(default_factory=list)
    table: Table = field(default_factory=Table)
    away_since: datetime | None = None
    inventory: Mapping[str, bytes] = field(default_factory=dict)


class Spool(Journal, Protocol):
    """A journal that also keeps what a poller must know to start while it is cut off."""

    @property
    def name(self) -> str:
        """The name of the poller's lease, the same in all its lives."""
        ...

    @property
    def before(self) -> Spooled:
        """What was kept when it was opened."""
        ...

    def knows(self, key: str, record: Record) -> None:
        """This was remembered by others before us."""
        ...

    def holds(self, table: Table) -> None:
        """Who holds what, as we last saw it."""
        ...

    def away(self, since: datetime | None) -> None:
        """We are cut off since then; None: not any more."""
        ...

    def keep_inventory(self, entries: Mapping[str, bytes]) -> None:
        """The inventory as it is now."""
        ...

    async def sync(self) -> None:
        """Bring what was written to the disk regularly until cancelled."""
        ...
