"""Hosts: what the poller sees of them from outside."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from shared.contracts.events.event import EXAMPLE_TIME, Event
from shared.contracts.ids import HostId, SiteId
from shared.contracts.message import Contract
from shared.contracts.vocabulary import (
    Grade,
    HostState,
    LikelyCause,
    ProbeFailure,
    QualityFault,
    Severity,
    WitnessKind,
)


class HostTransition(Event):
    """A change of a host's hard state. `transition` counts them per host and makes the event's id.

    `in_maintenance`: announced work covers it, so it opens no alarm; what was told before the work still gets its
    recovery. `not_before`: nobody looked between then and `at`, so it happened at some time in between.
    """

    SCOPE: ClassVar[tuple[str, ...]] = ("site_id", "host_id")

    host_id: HostId
    host_name: str
    address: str
    site_id: SiteId
    site_name: str
    policy: str
    transition: int
    previous: HostState
    in_maintenance: bool = False
    not_before: datetime | None = None

    def message_id(self) -> str:
        return f"host:{self.host_id}:{self.transition}"


_HOST = {
    "at": EXAMPLE_TIME,
    "host_id": "01h0st",
    "host_name": "core-1",
    "address": "10.20.0.1",
    "site_id": "01s1te",
    "site_name": "Waru",
    "policy": "infra",
    "transition": 3,
}


class HostDown(HostTransition):
    """A host stopped answering: every probe of its confirmation burst was lost. `since` is the first loss.

    `previous` down: the same outage said again, since the work that hid it is over and the host is still down.
    `previous` unreachable: what hid it is back, and the host is not; `since` is then the first loss of all.
    """

    NAME: ClassVar[str] = "host.down"
    EXAMPLE: ClassVar[dict[str, Any]] = {
        **_HOST,
        "previous": "up",
        "since": "2026-11-20T14:04:16Z",
        "failure": "timeout",
        "likely_causes": ["cable_cut", "device_off"],
    }

    since: datetime
    failure: ProbeFailure
    likely_causes: tuple[LikelyCause, ...] = ()
    parents_down: tuple[HostId, ...] = ()
    parents_verified: bool = True  # False: the wait for the parents' own results ran out
    outage_id: str | None = None  # of the outage of many hosts that this one is part of


class HostUp(HostTransition):
    """A host answers again, or for the first time (`previous` unknown, no outage)."""

    NAME: ClassVar[str] = "host.up"
    EXAMPLE: ClassVar[dict[str, Any]] = {
        **_HOST,
        "transition": 4,
        "previous": "down",
        "down_since": "2026-11-20T14:02:00Z",
        "outage_s": 137.0,
        "rtt_ms": 1.8,
    }

    down_since: datetime | None = None
    outage_s: float | None = None
    rtt_ms: float | None = None


class HostUnknown(HostTransition):
    """Nobody could ask this host for too long: it is unknown, not down."""

    NAME: ClassVar[str] = "host.unknown"
    EXAMPLE: ClassVar[dict[str, Any]] = {**_HOST, "previous": "up", "reason": "no result for 8 s"}

    reason: str


class HostUnreachable(HostTransition):
    """A host does not answer, and neither does what it hangs on: nobody can say more of it.

    `behind` are the hosts that are down themselves. `previous` down: they fell shortly after this one was told down.
    `previous` unreachable: it hangs behind others now.
    """

    NAME: ClassVar[str] = "host.unreachable"
    EXAMPLE: ClassVar[dict[str, Any]] = {
        **_HOST,
        "previous": "up",
        "since": "2026-11-20T14:04:16Z",
        "behind": ["01gate"],
    }

    since: datetime
    behind: tuple[HostId, ...] = ()
    outage_id: str | None = None


class HostObservation(Event):
    """Something about a host that is no change of its hard state. `mark` makes the event's id with its name."""

    SCOPE: ClassVar[tuple[str, ...]] = ("site_id", "host_id")

    host_id: HostId
    host_name: str
    address: str
    site_id: SiteId
    site_name: str
    policy: str
    mark: int  # the transition, or the second, that this belongs to

    def message_id(self) -> str:
        return f"{self.NAME}:{self.host_id}:{self.mark}"


_SEEN = {key: value for key, value in _HOST.items() if key != "transition"} | {"mark": 3}


class HostFlapping(HostObservation):
    """A host changes its state so often that each change is no news; until it is steady only long outages are."""

    NAME: ClassVar[str] = "host.flapping"
    EXAMPLE: ClassVar[dict[str, Any]] = {**_SEEN, "changes": 6, "window_s": 180.0, "state": "down"}

    changes: int
    window_s: float
    state: HostState


class HostSteady(HostObservation):
    """A host that flapped has stopped doing so; `state` is how it is now."""

    NAME: ClassVar[str] = "host.steady"
    EXAMPLE: ClassVar[dict[str, Any]] = {
        **_SEEN,
        "state": "up",
        "flapping_since": "2026-11-20T13:40:00Z",
        "changes": 17,
    }

    state: HostState
    flapping_since: datetime
    changes: int


class HostQuality(Contract):
    """A connection over one window: mean delay, jitter (mean difference of consecutive round trips), loss; graded."""

    window_s: float
    sent: int
    received: int
    delay_ms: float | None = None
    jitter_ms: float | None = None
    loss_percent: float
    delay_grade: Grade | None = None
    jitter_grade: Grade | None = None
    loss_grade: Grade
    grade: Grade  # the worst of the three


_QUALITY = {
    "window_s": 100.0,
    "sent": 100,
    "received": 92,
    "delay_ms": 41.2,
    "jitter_ms": 12.5,
    "loss_percent": 8.0,
    "delay_grade": "excellent",
    "jitter_grade": "good",
    "loss_grade": "poor",
    "grade": "poor",
}


class HostDegraded(HostObservation):
    """A host answers, but its connection is much worse than usual, two windows running."""

    NAME: ClassVar[str] = "host.degraded"
    EXAMPLE: ClassVar[dict[str, Any]] = {
        **_SEEN,
        "faults": ["loss"],
        "severity": "warning",
        "quality": _QUALITY,
        "usual_ms": 12.0,
    }

    faults: tuple[QualityFault, ...]
    severity: Severity
    quality: HostQuality
    usual_ms: float | None = None  # the median round trip of its last days
    words: str = ""  # where no window says it: a certificate that ends soon


class HostRestored(HostObservation):
    """The connection of a host that was degraded is good again, three windows running."""

    NAME: ClassVar[str] = "host.restored"
    EXAMPLE: ClassVar[dict[str, Any]] = {
        **_SEEN,
        "quality": {**_QUALITY, "received": 100, "loss_percent": 0.0, "loss_grade": "excellent", "grade": "good"},
        "degraded_since": "2026-11-20T13:40:00Z",
    }

    quality: HostQuality | None = None
    degraded_since: datetime


class HostSilent(HostObservation):
    """A host does not answer its probes although somebody else sees it alive: something stops the probes."""

    NAME: ClassVar[str] = "host.silent"
    EXAMPLE: ClassVar[dict[str, Any]] = {
        **_SEEN,
        "since": "2026-11-20T14:04:16Z",
        "failure": "timeout",
        "witness": "session",
        "seen_by": "waru-gw: budi@paket10",
    }

    since: datetime
    failure: ProbeFailure
    witness: WitnessKind
    seen_by: str


class HostHeard(HostObservation):
    """A host that was silent answers its probes again."""

    NAME: ClassVar[str] = "host.heard"
    EXAMPLE: ClassVar[dict[str, Any]] = {**_SEEN, "silent_since": "2026-11-20T14:04:16Z"}

    silent_since: datetime
