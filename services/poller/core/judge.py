"""From replies to states: what one more reply means for a host.

    UNKNOWN ──answer──▶ UP ──loss──▶ confirming ──whole burst lost──▶ condemned ──ruling──▶ DOWN or UNREACHABLE
                         ▲                                                │ seen alive             │
                         └───────────── enough answers ── recovering ◀────┴──────── answer ────────┘

A loss starts a burst of further probes; one answer ends the suspicion. A host whose whole burst is lost waits for a
ruling: what it hangs on may have fallen first, or somebody else may see it alive (`services.poller.court` finds out). A
host that nobody knew anything of needs a second burst an interval later, so that a poller that starts into a shaky
network does not cry at once. What could not be asked never makes a host down. Time comes in as an argument and only
dates facts: every decision is made by counting.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from services.poller.core.flapping import Flap
from services.poller.core.reply import (
    Answer,
    Blind,
    Fact,
    FellSilent,
    Loss,
    Reply,
    Retry,
    Ruling,
    Seen,
    Stale,
    WasHeard,
    WentDown,
    WentUnknown,
    WentUnreachable,
    WentUp,
)
from shared.contracts.ids import HostId
from shared.contracts.inventory import ProbePolicy
from shared.contracts.vocabulary import HostState, ProbeFailure


class Phase(Enum):
    """What the judge is waiting for."""

    STEADY = "steady"
    CONFIRMING = "confirming"  # lost one: is the whole burst lost?
    CONDEMNED = "condemned"  # all lost: what do parents and witnesses say?
    RECOVERING = "recovering"  # a dead host answered: does it answer again?


FALLEN = frozenset({HostState.DOWN, HostState.UNREACHABLE})


_NO_FLAP = Flap()


@dataclass(frozen=True, slots=True)
class State:
    """What is known of a host. The fields before `unseen_since` are hard: they survive a restart.

    Flapping, outage and work are carried along; the judge does not look at them.
    """

    hard: HostState = HostState.UNKNOWN
    transition: int = 0
    since: datetime | None = None
    down_since: datetime | None = None  # of the outage that is not over; kept while nobody can look
    behind: tuple[HostId, ...] = ()  # of an unreachable host: the hosts that are down themselves
    silent_since: datetime | None = None  # does not answer, but was seen alive by somebody else
    flap: Flap = _NO_FLAP
    outage_id: str | None = None  # of the outage of many hosts that it is part of
    hidden: bool = False  # the last change was told as part of announced work
    unseen_since: datetime | None = None  # nobody has looked since then; the first result ends it
    phase: Phase = Phase.STEADY
    asked_after: int = 0  # only probes with a higher number belong to the phase
    answered: int = 0
    lost: int = 0
    burst: int = 0
    first_at: datetime | None = None  # first loss or first answer of the phase
    failure: ProbeFailure = ProbeFailure.TIMEOUT  # of the last loss of the burst

    @property
    def shown(self) -> HostState:
        """The state as people see it: an unconfirmed loss is SUSPECT."""
        return HostState.SUSPECT if self.suspect and self.hard is HostState.UP else self.hard

    @property
    def suspect(self) -> bool:
        """Whether losses have not been explained yet."""
        return self.phase is Phase.CONFIRMING or self.phase is Phase.CONDEMNED

    @property
    def calm(self) -> bool:
        """Whether one more answer changes nothing."""
        return (
            self.hard is HostState.UP
            and self.phase is Phase.STEADY
            and self.silent_since is None
            and self.unseen_since is None
        )

    def remembered(self, unseen_since: datetime | None = None) -> State:
        """What is left after a restart. `unseen_since`: when somebody last looked."""
        known = self.hard is not HostState.UNKNOWN
        return State(
            self.hard,
            self.transition,
            self.since,
            self.down_since,
            self.behind,
            self.silent_since,
            self.flap,
            self.outage_id,
            self.hidden,
            unseen_since if known else None,
        )


_TRIES_BEFORE_STALE = 3
_AT_ONCE = 3  # one of so many probes of a burst does not wait
_SILENT_AGAIN_S = 10.0  # a silent host is doubted anew after so many seconds of rounds: witnesses cost something

NOTHING: tuple[Fact, ...] = ()
Verdict = tuple[State, tuple[Fact, ...]]


def next_state(state: State, reply: Reply, policy: ProbePolicy, now: datetime) -> Verdict:
    """The state after one more reply, and the facts to tell. The same state object comes back if nothing changed."""
    after, facts = _judged(state, reply, policy, now)
    carried = (state.flap, state.outage_id, state.hidden)
    if after is not state and (after.flap, after.outage_id, after.hidden) != carried:
        after = replace(after, flap=state.flap, outage_id=state.outage_id, hidden=state.hidden)
    return after, facts


def _judged(state: State, reply: Reply, policy: ProbePolicy, now: datetime) -> Verdict:
    match reply:
        case Answer():
            return _answered(state, reply, policy, now)
        case Loss():
            return _lost(state, reply, policy)
        case Blind():
            return (state if state.phase is Phase.STEADY else _steady(state, unseen=state.unseen_since)), NOTHING
        case Stale():
            return _stale(state, reply, now)
        case Ruling():
            return _ruled(state, reply, now)
        case Seen():
            return _seen(state, reply, now)
        case Retry():
            return _tried_again(state, reply, now)


def pause(state: State, policy: ProbePolicy, asked_in_phase: int, since_loss_s: float = math.inf) -> float | None:
    """Seconds from the last probe to the next one of the phase; None: the phase has asked all it may.

    `asked_in_phase` counts the probes sent since the phase (or its present burst) began; `since_loss_s` is the time
    since the first lost probe was sent. A third of the burst goes out at once: single losses end here. The others wait
    until a short disturbance must be over (`policy.ride_out_s`), so that neither looks like a dead host.
    """
    match state.phase:
        case Phase.STEADY | Phase.CONDEMNED:
            return policy.interval_s
        case Phase.CONFIRMING:
            if asked_in_phase >= policy.burst_size:
                return None
            if asked_in_phase == 0:
                return 0.0 if state.burst == 1 else second_burst_after(policy)
            if asked_in_phase == max(1, policy.burst_size // _AT_ONCE):
                return max(policy.burst_spacing_s, policy.ride_out_s - since_loss_s)
            return policy.burst_spacing_s
        case Phase.RECOVERING:
            return policy.recovery_spacing_s if asked_in_phase < policy.recovery_size else None


def second_burst_after(policy: ProbePolicy) -> float:
    """Seconds between a lost burst and the second one, for policies and states that need two."""
    return policy.interval_s if policy.second_burst_after_s is None else policy.second_burst_after_s


def burst_s(policy: ProbePolicy, timeout_s: float) -> float:
    """Seconds from sending the first lost probe until a host that is up and stops answering is condemned."""
    once = policy.burst_size * policy.burst_spacing_s + timeout_s
    again = 0.0 if policy.second_burst_after_s is None else policy.second_burst_after_s + once
    return max(timeout_s, policy.ride_out_s) + once + again


def bursts_needed(state: State, policy: ProbePolicy) -> int:
    """How many bursts must be lost entirely before a host is down."""
    return 2 if policy.second_burst_after_s is not None or state.hard is HostState.UNKNOWN else 1


def is_stale(silent_s: float, asked: int, policy: ProbePolicy) -> bool:
    """Whether a host's state is unknown: no result for `silent_s` seconds although it was asked `asked` times.

    Counting the tries keeps a poller that was itself stopped for a while from blaming the time it slept.
    """
    return asked >= _TRIES_BEFORE_STALE and silent_s > policy.stale_after.total_seconds()


# ── replies of the host ─────────────────────────────────────────────────────────────────────────────────────────────


def _answered(state: State, answer: Answer, policy: ProbePolicy, now: datetime) -> Verdict:
    if state.hard is HostState.UP:
        if state.silent_since is not None:
            heard = replace(_steady(state, answer.number), silent_since=None)
            return heard, (WasHeard(now, state.silent_since),)
        return (state if state.calm else _steady(state, answer.number)), NOTHING
    if state.hard is HostState.UNKNOWN:
        return _up(state, answer, now, first_answer=now)
    if state.phase is not Phase.RECOVERING:
        unseen = state.unseen_since
        state = replace(_steady(state, answer.number, unseen), phase=Phase.RECOVERING, answered=1, first_at=now)
    elif answer.number > state.asked_after:
        state = replace(state, answered=state.answered + 1)
    if state.answered >= min(policy.recovery_answers, policy.recovery_size + 1):
        return _up(state, answer, now, first_answer=state.first_at or now)
    return state, NOTHING


def _lost(state: State, loss: Loss, policy: ProbePolicy) -> Verdict:
    if loss.number <= state.asked_after or state.phase is Phase.CONDEMNED:
        return state, NOTHING  # asked before the phase began, or before the host proved to be alive
    if state.phase is Phase.CONFIRMING:
        return _burst_lost_one(state, loss, policy), NOTHING
    if state.phase is Phase.RECOVERING:
        lost = state.lost + 1
        if lost > policy.recovery_size + 1 - policy.recovery_answers:
            return _steady(state, loss.number), NOTHING
        return replace(state, lost=lost), NOTHING
    if state.hard in FALLEN:
        return (state if state.unseen_since is None else _steady(state, state.asked_after)), NOTHING
    if state.silent_since is not None and (state.lost + 1) * policy.interval_s < _SILENT_AGAIN_S:
        return replace(state, lost=state.lost + 1), NOTHING
    suspicion = replace(
        state, phase=Phase.CONFIRMING, asked_after=loss.number, answered=0, lost=0, burst=1, first_at=loss.sent_at
    )
    return suspicion, NOTHING


def _burst_lost_one(state: State, loss: Loss, policy: ProbePolicy) -> State:
    lost = state.lost + 1
    if lost < policy.burst_size:
        return replace(state, lost=lost)
    if state.burst < bursts_needed(state, policy):
        return replace(state, burst=state.burst + 1, lost=0, asked_after=loss.number)
    return replace(state, phase=Phase.CONDEMNED, lost=lost, asked_after=loss.number, failure=loss.failure)


def _stale(state: State, reply: Stale, now: datetime) -> Verdict:
    if state.hard is HostState.UNKNOWN and state.transition > 0:
        return state, NOTHING  # said already; a host that is new is said to be unknown once, so that people learn why
    fact = WentUnknown(now, _next_number(state, now), state.hard, reply.reason)
    return State(HostState.UNKNOWN, fact.transition, now, state.down_since), (fact,)


# ── what others say ─────────────────────────────────────────────────────────────────────────────────────────────────


def _ruled(state: State, ruling: Ruling, now: datetime) -> Verdict:
    """Also without a burst: a host that is down or unreachable already learns what it is behind."""
    if state.phase is not Phase.CONDEMNED and not (ruling.behind and state.hard in FALLEN):
        return state, NOTHING
    if not ruling.behind:
        return _down(state, now, verified=ruling.verified)
    if state.hard is HostState.UNREACHABLE and state.behind == ruling.behind:
        return (state if state.phase is not Phase.CONDEMNED else _steady(state, state.asked_after)), NOTHING
    since = state.down_since or state.first_at or now
    number = _next_number(state, now)
    fact = WentUnreachable(now, number, state.hard, since, ruling.behind, state.unseen_since)
    return State(HostState.UNREACHABLE, number, now, since, ruling.behind, asked_after=state.asked_after), (fact,)


def _seen(state: State, seen: Seen, now: datetime) -> Verdict:
    """Life seen elsewhere: the host is not down, only its probes are lost. Said once."""
    if state.phase is not Phase.CONDEMNED or state.hard is not HostState.UP:
        return state, NOTHING
    since = state.first_at or now
    silent = replace(_steady(state, state.asked_after), silent_since=state.silent_since or since)
    if state.silent_since is not None:
        return silent, NOTHING
    return silent, (FellSilent(now, since, state.failure, seen.witness, seen.seen_by),)


def _tried_again(state: State, retry: Retry, now: datetime) -> Verdict:
    if state.phase is not Phase.STEADY or state.hard not in FALLEN:
        return state, NOTHING
    return replace(state, phase=Phase.CONFIRMING, asked_after=retry.asked, lost=0, burst=1, first_at=now), NOTHING


# ── the facts ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _down(state: State, now: datetime, *, verified: bool) -> Verdict:
    since = state.down_since or state.first_at or now
    number = _next_number(state, now)
    fact = WentDown(now, number, state.hard, since, state.failure, verified, state.unseen_since)
    return State(HostState.DOWN, number, now, since, asked_after=state.asked_after), (fact,)


def _up(state: State, answer: Answer, now: datetime, *, first_answer: datetime) -> Verdict:
    began = state.down_since
    # Somebody may have set the clock back meanwhile: no outage lasts less than nothing.
    outage_s = max(0.0, (first_answer - began).total_seconds()) if began else None
    number = _next_number(state, now)
    fact = WentUp(now, number, state.hard, began, outage_s, answer.rtt_ms, state.unseen_since)
    return State(HostState.UP, number, now, asked_after=answer.number), (fact,)


def _next_number(state: State, now: datetime) -> int:
    """Transitions count up by one. The first begins at the clock's seconds.

    A poller that lost its memory then does not use numbers again that made the ids of older events.
    """
    return state.transition + 1 if state.transition else max(1, int(now.timestamp()))


def _steady(state: State, proven: int = 0, unseen: datetime | None = None) -> State:
    """Back to the hard state; losses of probes up to number `proven` are old news."""
    return State(
        state.hard,
        state.transition,
        state.since,
        state.down_since,
        state.behind,
        state.silent_since,
        unseen_since=unseen,
        asked_after=proven,
    )
