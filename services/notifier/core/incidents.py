"""An alert is a problem's name, an incident is one time that it happened.

The alert id is made from kind, object and cause, the incident id from the alert, its beginning and the
object's transition: after any restart the same facts get the same names.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.contracts.ids import IncidentId, SiteId
from shared.contracts.vocabulary import LikelyCause, ProbeFailure, Severity


class AlertKind(StrEnum):
    """What is wrong; the words of the event that began it."""

    HOST_DOWN = "host.down"
    ROUTER_UNREACHABLE = "router.unreachable"


class Status(StrEnum):
    """How far an incident has come."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


def short_hash(*parts: str) -> str:
    """26 hexadecimal digits that the same parts always give; parts never run into each other."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:26]


@dataclass(frozen=True, slots=True)
class Subject:
    """What an alert is about, with all that a message says of it."""

    kind: AlertKind
    object_id: str
    name: str
    address: str
    site_id: SiteId
    site_name: str
    cause: str = ""

    @property
    def alert_id(self) -> str:
        """The name of this problem, whenever it happens."""
        return short_hash(self.kind, self.object_id, self.cause)


@dataclass(frozen=True, slots=True)
class Trouble:
    """A problem begins. `since` is the first sign of it, `at` when it was certain."""

    subject: Subject
    severity: Severity
    since: datetime
    at: datetime
    transition: int
    blip_s: float
    failure: ProbeFailure | None = None
    words: str | None = None  # of the router or the system, where there are any
    likely_causes: tuple[LikelyCause, ...] = ()


@dataclass(frozen=True, slots=True)
class Relief:
    """A problem ends."""

    subject: Subject
    at: datetime
    transition: int
    outage_s: float | None = None
    follows_trouble: bool = True  # the transition before this one was the trouble itself


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest transition of an alert's object that was handled here."""

    transition: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Incident:
    """One time that something was wrong. `sequence` counts what happened to it, `number` is what people call it."""

    id: IncidentId
    subject: Subject
    severity: Severity
    since: datetime
    opened_at: datetime
    transition: int
    blip_s: float
    number: int = 0  # 0: not stored yet
    status: Status = Status.OPEN
    sequence: int = 1
    failure: ProbeFailure | None = None
    words: str | None = None
    likely_causes: tuple[LikelyCause, ...] = ()
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    resolved_at: datetime | None = None
    outage_s: float | None = None

    @property
    def is_blip(self) -> bool:
        """Over, and shorter than its policy finds worth a second message; what a person took on is never one."""
        return self.outage_s is not None and self.outage_s <= self.blip_s and self.acknowledged_at is None
