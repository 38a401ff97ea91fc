"""From replies to states: what one more reply means for a host.

    UNKNOWN ──answer──▶ UP ──loss──▶ confirming ──whole burst lost──▶ DOWN ──answer──▶ recovering ──enough answers──▶ UP

A loss starts a burst of further probes; one answer ends the suspicion. A host that nobody knew anything of needs a
second burst an interval later, so that a poller that starts into a shaky network does not cry at once. What could not
be asked never makes a host down. Time comes in as an argument and only dates facts: every decision is made by counting.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from services.poller.core.reply import Answer, Blind, Fact, Loss, Reply, Stale, WentDown, WentUnknown, WentUp
from shared.contracts.inventory import ProbePolicy
from shared.contracts.vocabulary import HostState, ProbeFailure


class Phase(Enum):
    """What the judge is waiting for."""

    STEADY = "steady"
    CONFIRMING = "confirming"  # lost one: is the whole burst lost?
    RECOVERING = "recovering"  # a dead host answered: does it answer again?


@dataclass(frozen=True, slots=True)
class State:
    """What is known of a host. The first four fields are hard: they survive a restart; the others start anew."""

    hard: HostState = HostState.UNKNOWN
    transition: int = 0
    since: datetime | None = None
    down_since: datetime | None = None  # of the outage that is not over; kept while nobody can look
    phase: Phase = Phase.STEADY
    asked_after: int = 0  # only probes with a higher number belong to the phase
    answered: int = 0
    lost: int = 0
    burst: int = 0
    first_at: datetime | None = None  # first loss or first answer of the phase

    @property
    def shown(self) -> HostState:
        """The state as people see it: an unconfirmed loss is SUSPECT."""
        suspect = self.phase is Phase.CONFIRMING and self.hard is HostState.UP
        return HostState.SUSPECT if suspect else self.hard

    def remembered(self) -> State:
        """What is left after a restart."""
        return State(self.hard, self.transition, self.since, self.down_since)


_TRIES_BEFORE_STALE = 3

NOTHING: tuple[Fact, ...] = ()
Verdict = tuple[State, tuple[Fact, ...]]


def next_state(state: State, reply: Reply, policy: ProbePolicy, now: datetime) -> Verdict:
    """The state after one more reply, and the facts to tell. The same state object comes back if nothing changed."""
    match reply:
        case Answer():
            return _answered(state, reply, policy, now)
        case Loss():
            return _lost(state, reply, policy, now)
        case Blind():
            return (state if state.phase is Phase.STEADY else _steady(state)), NOTHING
        case Stale():
            return _stale(state, reply, now)


def pause(state: State, policy: ProbePolicy, asked_in_phase: int) -> float | None:
    """Seconds from the last probe to the next one of the phase; None: the phase has asked all it may.

    `asked_in_phase` counts the probes sent since the phase (or its present burst) began.
    """
    match state.phase:
        case Phase.STEADY:
            return policy.interval_s
        case Phase.CONFIRMING:
            if asked_in_phase >= policy.burst_size:
                return None
            if asked_in_phase == 0:
                return 0.0 if state.burst == 1 else second_burst_after(policy)
            return policy.burst_spacing_s
        case Phase.RECOVERING:
            return policy.recovery_spacing_s if asked_in_phase < policy.recovery_size else None


def second_burst_after(policy: ProbePolicy) -> float:
    """Seconds between a lost burst and the second one, for policies and states that need two."""
    return policy.interval_s if policy.second_burst_after_s is None else policy.second_burst_after_s


def bursts_needed(state: State, policy: ProbePolicy) -> int:
    """How many bursts must be lost entirely before a host is down."""
    return 2 if policy.second_burst_after_s is not None or state.hard is HostState.UNKNOWN else 1


def is_stale(silent_s: float, asked: int, policy: ProbePolicy) -> bool:
    """Whether a host's state is unknown: no result for `silent_s` seconds although it was asked `asked` times.

    Counting the tries keeps a poller that was itself stopped for a while from blaming the time it slept.
    """
    return asked >= _TRIES_BEFORE_STALE and silent_s > policy.stale_after.total_seconds()


def _answered(state: State, answer: Answer, policy: ProbePolicy, now: datetime) -> Verdict:
    if state.hard is HostState.UP:
        return (state if state.phase is Phase.STEADY else _steady(state, answer.number)), NOTHING
    if state.hard is HostState.UNKNOWN:
        return _up(state, answer, now, first_answer=now)
    if state.phase is not Phase.RECOVERING:
        state = replace(_steady(state), phase=Phase.RECOVERING, asked_after=answer.number, answered=1, first_at=now)
    elif answer.number > state.asked_after:
        state = replace(state, answered=state.answered + 1)
    if state.answered >= min(policy.recovery_answers, policy.recovery_size + 1):
        return _up(state, answer, now, first_answer=state.first_at or now)
    return state, NOTHING


def _lost(state: State, loss: Loss, policy: ProbePolicy, now: datetime) -> Verdict:
    if loss.number <= state.asked_after:
        return state, NOTHING  # asked before the phase began, or before the host proved to be alive
    if state.phase is Phase.CONFIRMING:
        return _burst_lost_one(state, loss, policy, now)
    if state.phase is Phase.RECOVERING:
        lost = state.lost + 1
        if lost > policy.recovery_size + 1 - policy.recovery_answers:
            return _steady(state, loss.number), NOTHING
        return replace(state, lost=lost), NOTHING
    if state.hard is HostState.DOWN:
        return state, NOTHING
    suspicion = replace(
        state, phase=Phase.CONFIRMING, asked_after=loss.number, answered=0, lost=0, burst=1, first_at=loss.sent_at
    )
    return suspicion, NOTHING


def _burst_lost_one(state: State, loss: Loss, policy: ProbePolicy, now: datetime) -> Verdict:
    lost = state.lost + 1
    if lost < policy.burst_size:
        return replace(state, lost=lost), NOTHING
    if state.burst < bursts_needed(state, policy):
        return replace(state, burst=state.burst + 1, lost=0, asked_after=loss.number), NOTHING
    return _down(state, loss.failure, now)


def _stale(state: State, reply: Stale, now: datetime) -> Verdict:
    if state.hard is HostState.UNKNOWN and state.transition > 0:
        return state, NOTHING  # said already; a host that is new is said to be unknown once, so that people learn why
    fact = WentUnknown(now, state.transition + 1, state.hard, reply.reason)
    return State(HostState.UNKNOWN, fact.transition, now, state.down_since), (fact,)


def _down(state: State, failure: ProbeFailure, now: datetime) -> Verdict:
    since = state.down_since or state.first_at or now
    fact = WentDown(now, state.transition + 1, state.hard, since, failure)
    return State(HostState.DOWN, fact.transition, now, since), (fact,)


def _up(state: State, answer: Answer, now: datetime, *, first_answer: datetime) -> Verdict:
    began = state.down_since
    outage_s = (first_answer - began).total_seconds() if began else None
    fact = WentUp(now, state.transition + 1, state.hard, began, outage_s, answer.rtt_ms)
    return State(HostState.UP, fact.transition, now, asked_after=answer.number), (fact,)


def _steady(state: State, proven: int = 0) -> State:
    """Back to the hard state; losses of probes up to number `proven` are old news."""
    return State(state.hard, state.transition, state.since, state.down_since, asked_after=proven)
