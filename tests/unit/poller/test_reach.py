"""Routers: told with hysteresis."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from services.poller.core.reach import Lost, Reach, Reachability, Reached, answered, failed

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
REACHABLE = Reach(Reachability.REACHABLE, 7, NOW)


def test_third_failed_try_is_told_with_the_time_of_the_first():
    reach, facts = REACHABLE, []
    for second in (1, 2, 4):
        reach, fact = failed(reach, "connection refused", NOW + timedelta(seconds=second))
        facts.append(fact)
    assert facts[:2] == [None, None]
    assert facts[2] == Lost(NOW + timedelta(seconds=4), 8, "connection refused")
    assert reach.since == NOW + timedelta(seconds=1)


def test_ten_seconds_without_a_session_are_told():
    reach, _ = failed(REACHABLE, "timed out", NOW)
    reach, early = failed(reach, "timed out", NOW + timedelta(seconds=9), tried=False)
    _, fact = failed(reach, "timed out", NOW + timedelta(seconds=10), tried=False)
    assert early is None
    assert isinstance(fact, Lost)


def test_refused_login_is_told_at_once():
    _, fact = failed(REACHABLE, "invalid user name or password (6)", NOW, certain=True)
    assert isinstance(fact, Lost)


def test_short_break_is_no_news():
    reach, _ = failed(REACHABLE, "connection reset", NOW)
    reach, fact = answered(reach, NOW + timedelta(seconds=2))
    assert fact is None
    assert (reach.transition, reach.failures) == (7, 0)


def test_return_says_since_when_it_was_gone():
    reach, _ = failed(REACHABLE, "x", NOW, certain=True)
    _, fact = answered(reach, NOW + timedelta(minutes=5))
    assert fact == Reached(NOW + timedelta(minutes=5), 9, NOW)


def test_first_contact_is_told_without_an_outage():
    _, fact = answered(Reach(), NOW)
    assert fact == Reached(NOW, 1, None)


def test_unreachable_is_told_once():
    reach, _ = failed(REACHABLE, "x", NOW, certain=True)
    assert failed(reach, "x", NOW + timedelta(minutes=1))[1] is None
    assert failed(reach.remembered(), "x", NOW + timedelta(minutes=1), certain=True)[1] is None
