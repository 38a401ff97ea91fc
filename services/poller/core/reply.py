"""What came of asking a host once, and what the judge concludes from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.contracts.ids import HostId
from shared.contracts.vocabulary import HostState, ProbeFailure, WitnessKind


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


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the parents say of a host whose whole burst was lost. `behind`: what fell before it; empty: nothing did.

    `verified` is False if the wait for the parents' own results ran out.
    """

    behind: tuple[HostId, ...] = ()
    verified: bool = True


@dataclass(frozen=True, slots=True)
class Seen:
    """Somebody else saw the host alive after its first unanswered probe."""

    witness: WitnessKind
    seen_by: str


@dataclass(frozen=True, slots=True)
class Retry:
    """A host that is down or unreachable is to be confirmed anew by probes after number `asked`."""

    asked: int


Reply = Answer | Loss | Blind | Stale | Ruling | Seen | Retry


@dataclass(frozen=True, slots=True)
class WentDown:
    """The host is down. `since` is when the first unanswered probe was sent.

    `previous` is DOWN if it was down before and this is said anew: announced work that hid it is over. `not_before`:
    nobody looked between then and now, so it may have happened at any time in between.
    """

    at: datetime
    transition: int
    previous: HostState
    since: datetime
    failure: ProbeFailure
    verified: bool = True
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class WentUnreachable:
    """The host does not answer, and something it hangs on fell: `behind` are the hosts that are down themselves."""

    at: datetime
    transition: int
    previous: HostState
    since: datetime
    behind: tuple[HostId, ...]
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class WentUp:
    """The host answers. `down_since` and `outage_s` only where an outage ends with it."""

    at: datetime
    transition: int
    previous: HostState
    down_since: datetime | None
    outage_s: float | None
    rtt_ms: float | None
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class WentUnknown:
    """Nothing is known of the host any more."""

    at: datetime
    transition: int
    previous: HostState
    reason: str


@dataclass(frozen=True, slots=True)
class FellSilent:
    """The host does not answer its probes, but somebody sees it alive."""

    at: datetime
    since: datetime
    failure: ProbeFailure
    witness: WitnessKind
    seen_by: str


@dataclass(frozen=True, slots=True)
class WasHeard:
    """The host that was silent answers its probes."""

    at: datetime
    silent_since: datetime


@dataclass(frozen=True, slots=True)
class BeganFlapping:
    """The host changes so often that each change is no news."""

    at: datetime
    changes: int
    window_s: float
    state: HostState


@dataclass(frozen=True, slots=True)
class BecameSteady:
    """The host has stopped flapping and is `state`."""

    at: datetime
    state: HostState
    flapping_since: datetime
    changes: int


Transition = WentDown | WentUnreachable | WentUp | WentUnknown
Observation = FellSilent | WasHeard | BeganFlapping | BecameSteady
Fact = Transition | Observation
