"""What a host's probes measured in one slice, against a plain list of what happened."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.poller.core.gauge import Gauge, Turn


def test_slice_counts_what_came_back_and_what_did_not():
    turn = Turn()
    gauge = Gauge(turn)
    for number, rtt_ms in enumerate((10.0, 14.0, None, 12.0), start=1):
        gauge.asked(number, counts=True)
        if rtt_ms is None:
            gauge.lost(number)
        else:
            gauge.answered(number, rtt_ms)
    ended = gauge.take(turn.flip())
    assert (ended.sent, ended.received, ended.lost) == (4, 3, 1)
    assert (ended.rtt_min, ended.rtt_max, ended.rtt_sum) == (10.0, 14.0, 36.0)
    assert (ended.pairs, ended.jitter_sum) == (2, 6.0)
    assert gauge.take(turn.flip()) is None


def test_probes_of_a_burst_do_not_count():
    turn = Turn()
    gauge = Gauge(turn)
    gauge.asked(1, counts=True)
    gauge.lost(1)
    for number in range(2, 6):
        gauge.asked(number, counts=False)
        gauge.answered(number, 5.0)
    ended = gauge.take(turn.flip())
    assert (ended.sent, ended.lost) == (1, 1)


def test_answer_after_its_loss_is_a_slow_answer_and_what_was_not_sent_is_nothing():
    turn = Turn()
    gauge = Gauge(turn)
    for number in (1, 2):
        gauge.asked(number, counts=True)
    gauge.lost(1)
    gauge.answered(1, 900.0)
    gauge.answered(1, 900.0)  # the network doubled it
    gauge.not_asked(2)
    ended = gauge.take(turn.flip())
    assert (ended.lost, ended.received, ended.rtt_max) == (0, 1, 900.0)


def test_answer_after_the_slice_of_its_loss_was_told_changes_nothing():
    turn = Turn()
    gauge = Gauge(turn)
    gauge.asked(1, counts=True)
    gauge.lost(1)
    told = gauge.take(turn.flip())
    gauge.answered(1, 900.0)
    assert (told.lost, told.received) == (1, 0)
    assert gauge.take(turn.flip()) is None


def test_a_full_half_keeps_still_while_the_next_one_fills():
    turn = Turn()
    gauge = Gauge(turn)
    gauge.asked(1, counts=True)
    gauge.answered(1, 10.0)
    half = turn.flip()
    gauge.asked(2, counts=True)
    gauge.answered(2, 30.0)
    assert gauge.take(half).rtt_sum == 10.0
    second = gauge.take(turn.flip())
    assert (second.rtt_sum, second.pairs, second.jitter_sum) == (30.0, 1, 20.0)  # jitter goes on over the border


@given(st.lists(st.one_of(st.none(), st.floats(0.01, 5_000)), max_size=200), st.integers(1, 1_000_000))
def test_any_course_of_probes_is_counted_exactly(results, first):
    turn = Turn()
    gauge = Gauge(turn)
    for number, rtt_ms in enumerate(results, start=first):
        gauge.asked(number, counts=True)
        if rtt_ms is None:
            gauge.lost(number)
        else:
            gauge.answered(number, rtt_ms)
    ended = gauge.take(turn.flip())
    times = [rtt_ms for rtt_ms in results if rtt_ms is not None]
    if not results:
        assert ended is None
        return
    assert (ended.sent, ended.received) == (len(results), len(times))
    if times:
        assert (ended.rtt_min, ended.rtt_max) == (min(times), max(times))
        assert abs(ended.rtt_sum - sum(times)) < 1e-6
        differences = [abs(one - other) for one, other in pairwise(times)]
        assert abs(ended.jitter_sum - sum(differences)) < 1e-6
        assert ended.pairs == len(differences)
