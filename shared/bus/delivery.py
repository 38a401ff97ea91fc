"""One message in a consumer's hand, whatever carried it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Outcome(StrEnum):
    """What became of one delivery."""

    DONE = "done"
    SKIPPED = "skipped"  # a type that this consumer has no handler for
    AGAIN = "again"
    DEAD = "dead"
    GIVEN_BACK = "given_back"  # we are stopping
    HELD = "held"  # an earlier message of its subject is still waiting for its next try


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message as a stream keeps it, unread."""

    subject: str
    headers: Mapping[str, str]
    body: bytes
    sequence: int
    stored_at: datetime


class Delivery(Protocol):
    """A stored message that has to be answered: acknowledged or given back."""

    @property
    def message(self) -> StoredMessage: ...

    @property
    def delivered(self) -> int:
        """How often the stream has handed it out, this time included."""
        ...

    async def ack(self) -> None:
        """It is done."""
        ...

    async def nak(self, delay_s: float) -> None:
        """Hand it out again, no sooner than `delay_s` from now."""
        ...

    async def in_progress(self) -> None:
        """Still at it: start the acknowledgement time anew."""
        ...
