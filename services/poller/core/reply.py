"""What came of asking a host once, and what the judge concludes from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.contracts.vocabulary import HostState, ProbeFailure


@dataclass(frozen=True, slots=True)
class Answer:
    """The host answered probe `number` (counted per host from 1). It may come after the probe was given up."""

    number: int
    rtt_ms: float


@dataclass(frozen=True, slots=True)
class Loss:
    """Probe `number`, sent at `sent_at`, was not answered in time or was answered with a refusal."""

    number: int
    sent_at: datetime
    failure: ProbeFailure


@dataclass(frozen=True, slots=True)
class Blind:
    """Probe `number` could not be asked: this says something about us and nothing about the host."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Stale:
    """For longer than the policy allows nobody could ask the host."""

    reason: str


Reply = Answer | Loss | Blind | Stale


@dataclass(frozen=True, slots=True)
class WentDown:
    """The host was up or unknown and is down. `since` is when the first unanswered probe was sent."""

    at: datetime
    transition: int
    previous: HostState
    since: datetime
    failure: ProbeFailure


@dataclass(frozen=True, slots=True)
class WentUp:
    """The host answers. `down_since` and `outage_s` only where an outage ends with it."""

    at: datetime
    transition: int
    previous: HostState
    down_since: datetime | None
    outage_s: float | None
    rtt_ms: float | None


@dataclass(frozen=True, slots=True)
class WentUnknown:
    """Nothing is known of the host any more."""

    at: datetime
    transition: int
    previous: HostState
    reason: str


Fact = WentDown | WentUp | WentUnknown
