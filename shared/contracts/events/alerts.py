"""Alerts: problems that people are told of."""

from __future__ import annotations

from typing import Any, ClassVar

from shared.contracts.events.event import EXAMPLE_TIME, Event
from shared.contracts.ids import IncidentId, SiteId
from shared.contracts.vocabulary import Severity


class AlertEvent(Event):
    """A change of an alert. `sequence` counts what happened to the incident."""

    SCOPE: ClassVar[tuple[str, ...]] = ("site_id", "incident_id")

    incident_id: IncidentId
    number: int  # what people call it: #4821
    site_id: SiteId
    alert_kind: str
    object_id: str
    object_name: str
    severity: Severity
    sequence: int

    def message_id(self) -> str:
        return f"alert:{self.incident_id}:{self.sequence}"


_ALERT = {
    "at": EXAMPLE_TIME,
    "incident_id": "01inc1",
    "number": 4821,
    "site_id": "01s1te",
    "alert_kind": "host.down",
    "object_id": "01h0st",
    "object_name": "core-1",
    "severity": "critical",
    "sequence": 1,
}


class AlertOpened(AlertEvent):
    """A problem that somebody has to know of. `told` names the chats that hear of it at once."""

    NAME: ClassVar[str] = "alert.opened"
    EXAMPLE: ClassVar[dict[str, Any]] = {**_ALERT, "told": ["NOC Waru", "Sari"]}

    told: tuple[str, ...] = ()


class AlertAcknowledged(AlertEvent):
    """A person took the problem on."""

    NAME: ClassVar[str] = "alert.acknowledged"
    EXAMPLE: ClassVar[dict[str, Any]] = {**_ALERT, "sequence": 2, "by": "Sari"}

    by: str


class AlertResolved(AlertEvent):
    """The problem is over."""

    NAME: ClassVar[str] = "alert.resolved"
    EXAMPLE: ClassVar[dict[str, Any]] = {**_ALERT, "sequence": 3, "outage_s": 137.0}

    outage_s: float
