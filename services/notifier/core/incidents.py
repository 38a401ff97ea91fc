"""An alert is a problem's name, an incident is one time that it happened.

The alert id is made from kind, object and cause, the incident id from the alert, its beginning and the
object's transition: after any restart the same facts get the same names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from services.notifier.core.reasons import WhyNot
from shared.contracts.ids import IncidentId, SiteId
from shared.contracts.vocabulary import LikelyCause, ProbeFailure, Severity


class AlertKind(StrEnum):
    """What is wrong; the words of the event that began it."""

    HOST_DOWN = "host.down"
    HOST_FLAPPING = "host.flapping"
    HOST_DEGRADED = "host.degraded"
    HOST_SILENT = "host.silent"
    OUTAGE = "outage.began"
    POLLER_BLIND = "poller.blind"
    POLLER_RETURNED = "poller.returned"
    ROUTER_UNREACHABLE = "router.unreachable"
    ROUTER_STRESSED = "router.stressed"
    ROUTER_REBOOTED = "router.rebooted"
    ROUTER_UPGRADED = "router.upgraded"
    INTERFACE_DOWN = "router.interface_down"
    NEIGHBOR_SEEN = "router.neighbor_seen"
    THREAT = "security.suspected"
    SESSIONS_DROPPED = "session.mass_dropped"


class Status(StrEnum):
    """How far an incident has come."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


Detail = str | int | float | None
"""What an event said of a trouble, as its fields were: words are made of it only when somebody reads them."""


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
    details: Mapping[str, Detail] = field(default_factory=dict)
    notice: bool = False  # it happened and is over: nobody has to do anything for it to end
    held: WhyNot | None = None  # a reason to keep it to ourselves for now


@dataclass(frozen=True, slots=True)
class Relief:
    """A problem ends."""

    subject: Subject
    at: datetime
    transition: int
    outage_s: float | None = None
    follows_trouble: bool = True  # the transition before this one was the trouble itself
    details: Mapping[str, Detail] = field(default_factory=dict)


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
    details: Mapping[str, Detail] = field(default_factory=dict)
    notice: bool = False
    held: WhyNot | None = None
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    resolved_at: datetime | None = None
    outage_s: float | None = None

    @property
    def is_blip(self) -> bool:
        """Over, and shorter than its policy finds worth a second message; what a person took on is never one."""
        return self.outage_s is not None and self.outage_s <= self.blip_s and self.acknowledged_at is None
