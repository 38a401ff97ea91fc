"""Outages: many hosts that fell silent together, told as one thing."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from shared.contracts.events.event import EXAMPLE_TIME, Event
from shared.contracts.ids import HostId, SiteId
from shared.contracts.vocabulary import OutageScope

_OUTAGE = {
    "at": EXAMPLE_TIME,
    "outage_id": "7f3a9c",
    "extent": "site",
    "object_id": "01s1te",
    "object_name": "Waru",
    "site_id": "01s1te",
    "since": "2026-11-20T14:04:16Z",
}


class OutageEvent(Event):
    """About many hosts at once. `object_id`: their common parent, their site, or the poller whose hosts they are."""

    SCOPE: ClassVar[tuple[str, ...]] = ("site_id", "outage_id")

    outage_id: str
    extent: OutageScope
    object_id: str
    object_name: str
    site_id: SiteId
    since: datetime

    def message_id(self) -> str:
        return f"{self.NAME}:{self.outage_id}"


class OutageBegan(OutageEvent):
    """So many of the hosts that one poller watches fell silent within seconds that it is one problem, not many."""

    NAME: ClassVar[str] = "outage.began"
    EXAMPLE: ClassVar[dict[str, Any]] = {**_OUTAGE, "hosts": 312, "of": 400, "examples": ["01h0st"]}

    hosts: int
    of: int
    examples: tuple[HostId, ...] = ()


class OutageEnded(OutageEvent):
    """What is left of an outage is few enough to be told one by one."""

    NAME: ClassVar[str] = "outage.ended"
    EXAMPLE: ClassVar[dict[str, Any]] = {**_OUTAGE, "lasted_s": 95.0, "still_down": 2}

    lasted_s: float
    still_down: int
