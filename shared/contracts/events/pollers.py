"""Pollers about themselves: whether they can see at all."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from shared.contracts.events.event import EXAMPLE_TIME, Event


class PollerEvent(Event):
    """About one poller; `instance` is its name."""

    SCOPE: ClassVar[tuple[str, ...]] = ("instance",)

    instance: str


class PollerBlind(PollerEvent):
    """None of a poller's sentinels answers: what it watches is not judged until one does."""

    NAME: ClassVar[str] = "poller.blind"
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "at": EXAMPLE_TIME,
        "instance": "poller-1",
        "since": "2026-11-20T14:04:15Z",
        "sentinels": ["10.0.0.1", "1.1.1.1"],
    }

    since: datetime
    sentinels: tuple[str, ...]

    def message_id(self) -> str:
        return f"{self.NAME}:{self.instance}:{int(self.since.timestamp())}"


class PollerSighted(PollerEvent):
    """A poller that was blind sees again."""

    NAME: ClassVar[str] = "poller.sighted"
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "at": EXAMPLE_TIME,
        "instance": "poller-1",
        "blind_since": "2026-11-20T14:02:00Z",
    }

    blind_since: datetime

    def message_id(self) -> str:
        return f"{self.NAME}:{self.instance}:{int(self.blind_since.timestamp())}"


class PollerReturned(PollerEvent):
    """A poller that was cut off from the bus has told all it saw meanwhile; those facts carry `backfilled`."""

    NAME: ClassVar[str] = "poller.returned"
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "at": EXAMPLE_TIME,
        "instance": "poller-lereng",
        "away_since": "2026-11-20T13:34:00Z",
        "facts": 14,
        "hosts_down": ["01h0st"],
        "site_ids": ["01s1te"],
    }

    away_since: datetime
    facts: int
    hosts_down: tuple[str, ...] = ()  # that are down now
    site_ids: tuple[str, ...] = ()

    def message_id(self) -> str:
        return f"{self.NAME}:{self.instance}:{int(self.away_since.timestamp())}"
