"""The judge: tables of single replies, and properties over any story of replies, losses and restarts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.poller.core.judge import Phase, State, bursts_needed, is_stale, next_state, pause
from services.poller.core.reply import (
    Answer,
    Blind,
    Fact,
    FellSilent,
    Loss,
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
from shared.contracts.inventory import PROBE_POLICIES, ProbePolicy
from shared.contracts.vocabulary import HostState, ProbeFailure, WitnessKind

NOW = datetime(2026, 11, 20, 14, 4, 17, tzinfo=UTC)
INFRA, STANDARD, EDGE = (PROBE_POLICIES[name] for name in ("infra", "standard", "edge"))
UP = State(HostState.UP, 3, NOW)
DOWN = State(HostState.DOWN, 4, NOW, down_since=NOW - timedelta(seconds=90))
POLICIES = pytest.mark.parametrize("policy", [INFRA, STANDARD, EDGE], ids=lambda policy: policy.name)


def loss(number: int) -> Loss:
    return Loss(number, NOW + timedelta(seconds=number), ProbeFailure.TIMEOUT)


def alone(state: State, reply: object, policy: ProbePolicy, now: datetime) -> tuple[State, tuple[Fact, ...]]:
    """One more reply of a host that hangs on nothing: who is condemned is ruled on at once."""
    state, facts = next_state(state, reply, policy, now)
    if state.phase is Phase.CONDEMNED:
        assert facts == ()
        return next_state(state, Ruling(), policy, now)
    return state, facts


def play(state: State, replies: Iterable[object], policy: ProbePolicy = INFRA) -> tuple[State, list[Fact]]:
    told: list[Fact] = []
    for reply in replies:
        state, facts = alone(state, reply, policy, NOW)
        told += facts
    return state, told


def losses(first: int, count: int) -> list[Loss]:
    return [loss(number) for number in range(first, first + count)]


@pytest.mark.parametrize(
    ("state", "replies", "policy", "expected"),
    [
        pytest.param(UP, [Answer(1, 1.0)], INFRA, [], id="answer-of-an-up-host-says-nothing"),
        pytest.param(UP, losses(1, 1), INFRA, [], id="one-loss-is-a-suspicion-only"),
        pytest.param(UP, losses(1, 6), INFRA, [], id="burst-of-6-with-5-lost"),
        pytest.param(UP, losses(1, 7), INFRA, [WentDown], id="whole-burst-lost"),
        pytest.param(UP, losses(1, 8), INFRA, [WentDown], id="further-losses-say-nothing"),
        pytest.param(UP, [*losses(1, 6), Answer(7, 1.0)], INFRA, [], id="last-of-the-burst-answered"),
        pytest.param(UP, [*losses(1, 6), Answer(2, 900.0), loss(7)], INFRA, [], id="late-answer-ends-the-suspicion"),
        pytest.param(UP, losses(1, 4), EDGE, [], id="edge-first-burst-lost"),
        pytest.param(UP, losses(1, 7), EDGE, [WentDown], id="edge-both-bursts-lost"),
        pytest.param(UP, [*losses(1, 6), Answer(7, 1.0)], EDGE, [], id="edge-second-burst-answered"),
        pytest.param(State(), losses(1, 7), INFRA, [], id="unknown-host-needs-a-second-burst"),
        pytest.param(State(), losses(1, 13), INFRA, [WentDown], id="unknown-host-lost-two-bursts"),
        pytest.param(State(), [Answer(1, 1.0)], INFRA, [WentUp], id="first-answer-ever"),
        pytest.param(DOWN, [Answer(1, 1.0)], INFRA, [], id="one-answer-of-a-dead-host"),
        pytest.param(DOWN, [Answer(n, 1.0) for n in (1, 2, 3)], INFRA, [WentUp], id="three-answers-of-four"),
        pytest.param(
            DOWN,
            [Answer(1, 1.0), loss(2), Answer(3, 1.0), Answer(4, 1.0)],
            INFRA,
            [WentUp],
            id="three-of-four-with-a-gap",
        ),
        pytest.param(DOWN, [Answer(1, 1.0), loss(2), loss(3), Answer(4, 1.0)], INFRA, [], id="two-of-four-stay-down"),
        pytest.param(DOWN, [Answer(1, 1.0), Answer(2, 1.0)], EDGE, [WentUp], id="edge-two-answers"),
        pytest.param(UP, [Stale("no way out")], INFRA, [WentUnknown], id="stale-is-unknown"),
        pytest.param(UP, [Stale("x"), Stale("x")], INFRA, [WentUnknown], id="stale-is-told-once"),
        pytest.param(UP, [*losses(1, 3), Blind(4, "x"), loss(5), loss(6)], INFRA, [], id="blind-breaks-a-burst"),
        pytest.param(UP, [Blind(n, "x") for n in range(50)], INFRA, [], id="blind-is-never-down"),
    ],
)
def test_replies_lead_to_these_facts(state, replies, policy, expected):
    _, facts = play(state, replies, policy)
    assert [type(fact) for fact in facts] == expected


def test_outage_lasts_from_the_first_loss_to_the_first_answer():
    state, [down] = play(UP, losses(1, 7))
    assert down.since == NOW + timedelta(seconds=1)
    later = NOW + timedelta(seconds=61)
    state, _ = next_state(state, Answer(6, 2.0), INFRA, later)
    state, _ = next_state(state, Answer(7, 2.0), INFRA, later + timedelta(seconds=5))
    _, (up,) = next_state(state, Answer(8, 2.0), INFRA, later + timedelta(seconds=9))
    assert (up.previous, up.outage_s, up.down_since) == (HostState.DOWN, 60.0, down.since)


def test_outage_survives_a_blind_time():
    state, _ = play(DOWN, [Stale("no sentinel")])
    assert state.hard is HostState.UNKNOWN
    _, (up,) = next_state(state, Answer(9, 1.0), INFRA, NOW)
    assert up.down_since == DOWN.down_since
    assert up.outage_s == 90.0


def test_losses_older_than_the_answer_that_cleared_the_suspicion_are_ignored():
    state, _ = play(UP, [loss(1), Answer(3, 1.0), loss(2)])
    assert state.phase is Phase.STEADY


def test_unconfirmed_loss_is_shown_as_suspect():
    assert play(UP, [loss(1)])[0].shown is HostState.SUSPECT
    assert play(State(), [loss(1)])[0].shown is HostState.UNKNOWN


def test_stale_needs_silence_and_tries():
    assert is_stale(8.1, 3, INFRA)
    assert not is_stale(8.0, 3, INFRA)
    assert not is_stale(3600.0, 2, INFRA), "a poller that slept has not asked"


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        pytest.param(INFRA, [0.0, 0.02, 0.86, 0.02, 0.02, 0.02, None], id="infra"),
        pytest.param(STANDARD, [0.0, 0.86, 0.4, 0.4, 0.4, None], id="standard"),
        pytest.param(EDGE, [0.0, 1.0, 1.0, None], id="edge"),
    ],
)
def test_burst_is_paced_by_the_policy(policy, expected):
    suspect, _ = play(UP, [loss(1)], policy)
    assert [pause(suspect, policy, asked, since_loss_s=0.0) for asked in range(len(expected))] == expected


def test_second_burst_of_edge_comes_ten_seconds_later():
    suspect, _ = play(UP, losses(1, 4), EDGE)
    assert (suspect.burst, pause(suspect, EDGE, 0)) == (2, 10)


def test_recovery_is_paced_by_the_policy():
    recovering, _ = play(DOWN, [Answer(1, 1.0)])
    assert [pause(recovering, INFRA, asked) for asked in range(4)] == [0.3, 0.3, 0.3, None]


# ── parents, witnesses, work ─────────────────────────────────────────────────────────────────────────────────────────

GATE = (HostId("gate"),)


def condemned(state: State = UP) -> State:
    for reply in losses(1, 7):
        state, _ = next_state(state, reply, INFRA, NOW)
    assert state.phase is Phase.CONDEMNED
    return state


def test_condemned_host_is_shown_as_suspect_until_it_is_ruled_on():
    assert condemned().shown is HostState.SUSPECT


def test_ruling_behind_a_parent_is_unreachable_since_the_first_loss():
    state, [fact] = play(condemned(), [Ruling(GATE)])
    assert (type(fact), fact.behind, fact.since) == (WentUnreachable, GATE, NOW + timedelta(seconds=1))
    assert (state.hard, state.behind) == (HostState.UNREACHABLE, GATE)


def test_ruling_without_the_parents_says_so():
    _, [fact] = play(condemned(), [Ruling(verified=False)])
    assert not fact.verified


def test_answer_before_the_ruling_ends_it():
    state, told = play(condemned(), [Answer(8, 1.0), Ruling()])
    assert told == []
    assert state.shown is HostState.UP


def test_parent_that_falls_later_explains_a_host_that_is_down():
    state, [fact] = play(DOWN, [Ruling(GATE)])
    assert (type(fact), fact.previous, fact.since) == (WentUnreachable, HostState.DOWN, DOWN.down_since)
    assert play(state, [Ruling(GATE)])[1] == []


def test_unreachable_host_tried_again_keeps_its_original_time():
    state, [unreachable] = play(condemned(), [Ruling(GATE)])
    state, [down] = play(state, [Retry(10), *losses(11, 6)])
    assert (type(down), down.previous, down.since) == (WentDown, HostState.UNREACHABLE, unreachable.since)


def test_unreachable_host_that_answers_is_up_with_the_whole_outage():
    state, [unreachable] = play(condemned(), [Ruling(GATE)])
    _, [up] = play(state, [Answer(n, 1.0) for n in (8, 9, 10)])
    assert (up.previous, up.down_since) == (HostState.UNREACHABLE, unreachable.since)


def test_down_host_tried_again_is_told_down_again_with_the_same_time():
    _, [again] = play(DOWN, [Retry(10), *losses(11, 6)])
    assert (again.previous, again.since, again.transition) == (HostState.DOWN, DOWN.down_since, DOWN.transition + 1)


def test_life_seen_elsewhere_is_told_once_and_ends_with_an_answer():
    seen = Seen(WitnessKind.SESSION, "waru-gw: budi")
    state, [silent] = play(condemned(), [seen])
    assert isinstance(silent, FellSilent)
    assert (state.hard, state.transition) == (HostState.UP, UP.transition)
    state, told = play(state, [*losses(8, 9)])
    assert told == []
    assert state.phase is Phase.STEADY, "witnesses are not asked in every round"
    for reply in losses(17, 7):
        state, _ = next_state(state, reply, INFRA, NOW)
    assert state.phase is Phase.CONDEMNED
    state, told = play(state, [seen])
    assert told == []
    _, [heard] = play(state, [Answer(30, 1.0)])
    assert (type(heard), heard.silent_since) == (WasHeard, silent.since)


def test_silent_host_that_nobody_sees_any_more_is_down_since_the_new_doubt():
    state, [silent] = play(condemned(), [Seen(WitnessKind.NETWATCH, "gw")])
    _, [down] = play(state, losses(8, 17))
    assert isinstance(down, WentDown)
    assert down.since > silent.since


def test_difference_after_a_restart_says_since_when_nobody_looked():
    before = NOW - timedelta(minutes=5)
    _, [down] = play(UP.remembered(before), losses(1, 7))
    assert down.not_before == before
    _, [up] = play(DOWN.remembered(before), [Answer(n, 1.0) for n in (1, 2, 3)])
    assert up.not_before == before


def test_first_result_after_a_restart_ends_the_doubt_about_the_past():
    before = NOW - timedelta(minutes=5)
    _, [down] = play(UP.remembered(before), [Answer(1, 1.0), *losses(2, 7)])
    assert down.not_before is None
    _, [up] = play(DOWN.remembered(before), [loss(1), *(Answer(n, 1.0) for n in (2, 3, 4))])
    assert up.not_before is None


def test_host_whose_memory_was_lost_gets_no_number_twice():
    state, [first] = play(State(), [Answer(1, 1.0)])
    _, [second] = play(state, losses(2, 7))
    _, (later,) = next_state(State(), Answer(1, 1.0), INFRA, NOW + timedelta(hours=1))
    assert first.transition < second.transition < later.transition


# ── properties ──────────────────────────────────────────────────────────────────────────────────────────────────────

STORY = st.lists(st.sampled_from(["answer", "loss", "blind", "stale", "late"]), max_size=120)
START = st.sampled_from([State(), UP, DOWN])


def number_replies(story: list[str]) -> list[object]:
    made: list[object] = []
    for number, word in enumerate(story, start=1):
        made.append(
            {
                "answer": Answer(number, 1.0),
                "late": Answer(max(1, number - 2), 1500.0),
                "loss": loss(number),
                "blind": Blind(number, "no way out"),
                "stale": Stale("no way out"),
            }[word]
        )
    return made


@POLICIES
@given(story=STORY, start=START)
def test_reply_that_is_no_loss_never_leads_to_down(policy, story, start):
    state = start
    for reply in number_replies(story):
        state, facts = alone(state, reply, policy, NOW)
        if not isinstance(reply, Loss):
            assert not any(isinstance(fact, WentDown) for fact in facts)


@POLICIES
@given(story=STORY, start=START)
def test_down_needs_whole_bursts_lost_without_an_answer_in_between(policy, story, start):
    state, lost_in_a_row = start, 0
    for reply in number_replies(story):
        needed = 1 + policy.burst_size * bursts_needed(state, policy)
        lost_in_a_row = lost_in_a_row + 1 if isinstance(reply, Loss) else 0
        state, facts = alone(state, reply, policy, NOW)
        if any(isinstance(fact, WentDown) for fact in facts):
            assert lost_in_a_row >= needed


@POLICIES
@given(story=STORY, start=START)
def test_transitions_count_up_and_every_fact_is_a_change(policy, story, start):
    state, hard, transition = start, start.hard, start.transition
    for reply in number_replies(story):
        state, facts = alone(state, reply, policy, NOW)
        for fact in facts:
            number = transition + 1 if transition else int(NOW.timestamp())  # the first is the clock's
            assert (fact.transition, fact.previous) == (number, hard)
            transition = number
        assert len(facts) <= 1
        assert state.transition == transition
        if facts:
            assert transition == int(NOW.timestamp()) or state.hard is not hard
            hard = state.hard
        assert state.hard is hard


SPELLS = st.lists(st.tuples(st.booleans(), st.integers(min_value=30, max_value=45)), min_size=1, max_size=8)


def alarms(spells: list[tuple[bool, int]], restarts: set[int], policy: ProbePolicy) -> list[tuple[str, int]]:
    """What is told of a host that is alive or dead for such numbers of probes, with restarts before these probes."""
    state, told, number = UP, [], 0
    for alive, length in spells:
        for _ in range(length):
            number += 1
            if number in restarts:
                state = state.remembered()
            state, facts = alone(state, Answer(number, 1.0) if alive else loss(number), policy, NOW)
            told += [(type(fact).__name__, fact.transition) for fact in facts]
    return told


@POLICIES
@given(spells=SPELLS, restarts=st.sets(st.integers(min_value=1, max_value=360), max_size=2))
def test_restarts_anywhere_change_no_alarm(policy, spells, restarts):
    assert alarms(spells, restarts, policy) == alarms(spells, set(), policy)


@POLICIES
@given(spells=SPELLS, crash=st.integers(min_value=1, max_value=360))
def test_crash_between_telling_and_saving_repeats_the_same_transition(policy, spells, crash):
    """The fact was told but not saved: after the restart the same fact comes again with the same number."""
    state, saved, told, number = UP, UP, [], 0
    for alive, length in spells:
        for _ in range(length):
            number += 1
            state, facts = alone(state, Answer(number, 1.0) if alive else loss(number), policy, NOW)
            told += [(type(fact).__name__, fact.transition) for fact in facts]
            if facts and crash <= number:
                state, crash = saved, 10**6  # lost the memory of what it said
            elif facts:
                saved = state.remembered()
    assert list(dict.fromkeys(told)) == alarms(spells, set(), policy)
