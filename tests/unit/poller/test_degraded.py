"""When a connection is degraded and when it is good again: tables of windows, and what must hold for any of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.poller.core.degraded import NOTHING_TOLD, BecameDegraded, BecameGood, Standing, next_standing, next_words
from services.poller.core.quality import Measured
from shared.contracts.vocabulary import QualityFault, Severity

NOW = datetime(2026, 11, 20, 14, 4, 17, tzinfo=UTC)
LOSS, DELAY, JITTER = QualityFault.LOSS, QualityFault.DELAY, QualityFault.JITTER


def window(loss: int = 0, delay: float = 20.0, jitter: float = 2.0) -> Measured:
    return Measured(100.0, 100, 100 - loss, delay, jitter)


def play(windows, usual_ms: float | None = 20.0, standing: Standing = NOTHING_TOLD, *, restarts: bool = False):
    told = []
    for place, measured in enumerate(windows):
        standing, fact = next_standing(standing, measured, usual_ms, NOW + timedelta(minutes=place))
        if restarts:
            standing = standing.remembered()
        if fact is not None:
            told.append(fact)
    return standing, told


GOOD, LOSSY, AWFUL = window(), window(loss=5), window(loss=20)


@pytest.mark.parametrize(
    ("windows", "expected"),
    [
        pytest.param([LOSSY], [], id="one-bad-window"),
        pytest.param([LOSSY, LOSSY], [(LOSS,)], id="two-running"),
        pytest.param([LOSSY, GOOD, LOSSY], [], id="not-running"),
        pytest.param([LOSSY, None, LOSSY], [], id="nothing-measured-in-between"),
        pytest.param([window(loss=4)] * 5, [], id="loss-just-below"),
        pytest.param([window(delay=100.0)] * 2, [(DELAY,)], id="delay-at-the-least-bound"),
        pytest.param([window(delay=99.9)] * 5, [], id="delay-just-below"),
        pytest.param([window(jitter=30.0)] * 2, [(JITTER,)], id="jitter-at-its-bound"),
        pytest.param([window(jitter=29.9)] * 5, [], id="jitter-just-below"),
        pytest.param([window(5, 500.0, 90.0)] * 2, [(LOSS, DELAY, JITTER)], id="all-three"),
        pytest.param([LOSSY, window(delay=300.0)], [(DELAY,)], id="another-fault-runs-on"),
    ],
)
def test_entering(windows, expected):
    _, told = play(windows)
    assert [fact.faults for fact in told] == expected


@pytest.mark.parametrize(
    ("usual_ms", "delay_ms", "degraded"),
    [
        pytest.param(None, 700.0, False, id="unknown-usual-delay-is-no-reason"),
        pytest.param(600.0, 1_700.0, False, id="satellite-below-thrice-its-own"),
        pytest.param(600.0, 1_800.0, True, id="satellite-thrice-its-own"),
        pytest.param(2.0, 60.0, False, id="lan-below-the-least-bound"),
        pytest.param(2.0, 110.0, True, id="lan-above-the-least-bound"),
    ],
)
def test_delay_is_held_against_the_hosts_own(usual_ms, delay_ms, degraded):
    standing, _ = play([window(delay=delay_ms)] * 2, usual_ms)
    assert standing.degraded is degraded


@pytest.mark.parametrize(
    ("after", "restored"),
    [
        pytest.param([GOOD] * 2, False, id="two-good"),
        pytest.param([GOOD] * 3, True, id="three-good"),
        pytest.param([GOOD, GOOD, window(loss=3), GOOD, GOOD], False, id="loss-at-the-lower-bound-begins-anew"),
        pytest.param([window(loss=2)] * 3, True, id="loss-below-the-lower-bound"),
        pytest.param([window(delay=80.0)] * 9, False, id="delay-at-four-fifths"),
        pytest.param([window(delay=79.9)] * 3, True, id="delay-below-four-fifths"),
        pytest.param([window(jitter=20.0)] * 9, False, id="jitter-at-its-lower-bound"),
        pytest.param([GOOD, None, GOOD, None, GOOD], True, id="windows-without-a-word-in-between"),
    ],
)
def test_leaving(after, restored):
    entered, [first] = play([LOSSY, LOSSY])
    standing, told = play(after, standing=entered)
    assert standing.degraded is not restored
    assert [type(fact) for fact in told] == [BecameGood] * restored
    if restored:
        assert told[0].degraded_since == first.at
        assert told[0].number == first.number + 1


def test_heavy_loss_is_critical_and_what_turns_heavy_is_told_again():
    _, [fact] = play([AWFUL, AWFUL])
    assert fact.severity is Severity.CRITICAL
    standing, [first, worse] = play([LOSSY, LOSSY, LOSSY, AWFUL, AWFUL, LOSSY])
    assert (first.severity, worse.severity) == (Severity.WARNING, Severity.CRITICAL)
    assert standing.since == first.at


def test_warning_that_no_window_measures_is_told_once_and_outlives_good_windows():
    standing, first = next_words(Standing(), "the certificate ends in 9 days", NOW)
    assert (first.words, first.faults) == ("the certificate ends in 9 days", ())
    standing, again = next_words(standing, "the certificate ends in 8 days", NOW)
    assert again is None
    standing, told = play([LOSSY, LOSSY, GOOD, GOOD, GOOD], standing=standing)
    assert [type(fact) for fact in told] == [BecameDegraded]
    assert standing.degraded
    standing, over = next_words(standing, "", NOW)
    assert isinstance(over, BecameGood)
    assert over.degraded_since == NOW
    assert not standing.degraded


WINDOWS = st.lists(
    st.one_of(
        st.none(),
        st.builds(window, loss=st.integers(0, 100), delay=st.floats(0, 500), jitter=st.floats(0, 60)),
        st.sampled_from([GOOD, LOSSY, AWFUL]),
    ),
    max_size=60,
)


@given(WINDOWS)
def test_what_is_told_alternates_and_is_numbered_without_a_gap(windows):
    standing, told = play(windows)
    assert [fact.number for fact in told] == list(range(1, len(told) + 1))
    degraded = False
    for fact in told:
        if isinstance(fact, BecameGood):
            assert degraded
            degraded = False
        else:
            assert not degraded or fact.severity is Severity.CRITICAL
            degraded = True
    assert standing.degraded is degraded


@given(WINDOWS, st.integers(0, 60))
def test_a_restart_forgets_no_alarm_and_repeats_none(windows, at):
    standing, told = play(windows[:at])
    after, later = play(windows[at:], standing=standing.remembered())
    numbers = [fact.number for fact in told + later]
    assert numbers == list(range(1, len(numbers) + 1))
    for one, other in pairwise(told + later):
        if isinstance(one, BecameGood):
            assert isinstance(other, BecameDegraded)
    assert after.degraded is (bool(numbers) and isinstance((told + later)[-1], BecameDegraded))
