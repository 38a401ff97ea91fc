"""When something that was seen on a router becomes a fact, and when it is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.poller.core.security.changes import LONGEST, TOGETHER, ChangeBook
from services.poller.core.security.logins import LEARNING, MOST, LoginPlaces
from services.poller.core.security.series import FAILED_LOGINS, Begun, Passed, SeriesBook
from services.poller.core.security.traffic import (
    ENOUGH,
    IN_A_ROW,
    STAYS_DIFFERENT,
    BecameAbnormal,
    BecameNormal,
    Habit,
)
from services.poller.core.security.words import ConfigurationChange

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
FLOOR = 1e6


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


class TestSeries:
    def test_five_failures_within_a_minute_are_one_series(self) -> None:
        book = SeriesBook(FAILED_LOGINS)
        found = [book.happened("203.0.113.99", after(10 * n)) for n in range(20)]
        assert [one for one in found if one] == [Begun("203.0.113.99", NOON, 5)]

    def test_somebody_who_mistypes_now_and_then_is_no_series(self) -> None:
        book = SeriesBook(FAILED_LOGINS)
        assert not any(book.happened("10.0.0.5", after(20 * n)) for n in range(40))

    def test_a_series_passes_after_ten_quiet_minutes_and_may_begin_again(self) -> None:
        book = SeriesBook(FAILED_LOGINS)
        for n in range(5):
            book.happened("x", after(n))
        assert book.passed(after(603)) == []
        assert book.passed(after(604)) == [Passed("x", NOON)]
        assert book.passed(after(9999)) == []
        assert [book.happened("x", after(1000 + n)) for n in range(5)][-1] == Begun("x", after(1000), 5)

    def test_a_series_that_was_told_before_a_restart_passes_and_is_not_told_again(self) -> None:
        book = SeriesBook(FAILED_LOGINS, {"x": NOON}, after(60))
        assert not any(book.happened("x", after(61 + n)) for n in range(9))
        assert book.passed(after(69 + 600)) == [Passed("x", NOON)]

    def test_an_attack_from_everywhere_does_not_fill_the_memory(self) -> None:
        book = SeriesBook(FAILED_LOGINS)
        for n in range(5000):
            book.happened(f"10.{n}", after(n / 1000))
        assert len(book._recent) <= 1000


class TestLoginPlaces:
    def test_the_first_days_are_learned_in_silence(self) -> None:
        places = LoginPlaces((), (), NOON)
        assert not places.is_new("10.0.0.5", after(60))
        later = NOON + LEARNING + timedelta(seconds=1)
        assert not places.is_new("10.0.0.5", later)
        assert places.is_new("203.0.113.99", later)
        assert not places.is_new("203.0.113.99", later), "told once, known then"

    def test_named_networks_are_known_and_nothing_else_from_the_first_minute(self) -> None:
        places = LoginPlaces(("10.0.0.0/8", "2001:db8::/32", "not a network"), (), NOON)
        assert not places.is_new("10.9.9.9", NOON)
        assert not places.is_new("2001:db8::1", NOON)
        assert places.is_new("203.0.113.99", NOON)
        assert places.is_new("4C:5E:0C:11:22:33", NOON)

    def test_somebody_at_the_router_itself_is_no_stranger(self) -> None:
        assert not LoginPlaces(("10.0.0.0/8",), (), NOON).is_new(None, NOON)

    def test_what_was_learned_survives_and_stays_bounded(self) -> None:
        places = LoginPlaces((), (), NOON)
        for n in range(MOST + 50):
            places.is_new(f"10.0.{n // 250}.{n % 250}", NOON)
        again = LoginPlaces((), places.learned, NOON - 2 * LEARNING)
        assert len(again.learned) == MOST
        assert not again.is_new(places.learned[-1], NOON)


class TestChanges:
    def test_one_person_at_work_is_one_fact(self) -> None:
        book = ChangeBook("ronda")
        for n, what in enumerate(("filter rule", "filter rule", "nat rule")):
            book.changed(ConfigurationChange("admin", what, "changed", "10.0.0.9", "winbox"), after(n * 10))
        assert book.ripe(after(40)) == []
        [bunch] = book.ripe(after(20) + TOGETHER)
        assert (bunch.user, bunch.count, bunch.since) == ("admin", 3, NOON)
        assert bunch.words == ("filter rule changed", "nat rule changed")
        assert book.ripe(after(9999)) == []

    def test_what_ronda_changes_itself_is_no_news(self) -> None:
        book = ChangeBook("ronda")
        book.changed(ConfigurationChange("ronda", "ppp secret", "added"), NOON)
        assert book.ripe(after(9999)) == []

    def test_somebody_who_never_pauses_is_told_nevertheless(self) -> None:
        book = ChangeBook("ronda")
        for n in range(31):
            book.changed(ConfigurationChange("admin", "item", "added"), after(10 * n))
        assert [bunch.count for bunch in book.ripe(NOON + LONGEST)] == [31]


def taught(value: float = 20e6, count: int = ENOUGH, spread: float = 1e6) -> Habit:
    """A habit that knows the hour of noon."""
    habit = Habit()
    for n in range(count):
        assert habit.take(value + (spread if n % 2 else -spread), NOON, floor=FLOOR) is None
    return habit


class TestTraffic:
    def test_nothing_is_judged_before_the_hour_is_known(self) -> None:
        habit = taught(count=ENOUGH - 10)
        assert not any(habit.take(900e6, after(n), floor=FLOOR) for n in range(5))

    def test_several_far_readings_are_a_fact_and_several_near_ones_end_it(self) -> None:
        habit = taught()
        facts = [habit.take(200e6, after(30 * n), floor=FLOOR) for n in range(6)]
        assert [fact is not None for fact in facts] == [False, False, True, False, False, False]
        told = facts[2]
        assert isinstance(told, BecameAbnormal)
        assert (told.since, told.value) == (NOON, 200e6)
        assert told.usual == pytest.approx(20e6, rel=0.05)
        ends = [habit.take(20e6, after(200 + 30 * n), floor=FLOOR) for n in range(4)]
        assert [fact for fact in ends if fact] == [BecameNormal(NOON)]

    def test_an_attack_teaches_nothing(self) -> None:
        habit = taught()
        for n in range(100):
            habit.take(900e6, after(30 * n), floor=FLOOR)
        for n in range(IN_A_ROW):
            habit.take(20e6, after(4000 + n), floor=FLOOR)
        assert any(habit.take(900e6, after(5000 - 3600 + n), floor=FLOOR) for n in range(IN_A_ROW))

    def test_what_stays_different_becomes_normal(self) -> None:
        habit = taught()
        moments = [NOON + timedelta(days=day, seconds=30 * n) for day in range(6) for n in range(60)]
        facts = [habit.take(200e6, at, floor=FLOOR) for at in moments]
        ended = [at for at, fact in zip(moments, facts, strict=True) if isinstance(fact, BecameNormal)]
        assert ended
        assert ended[0] - NOON > STAYS_DIFFERENT

    def test_little_traffic_is_never_abnormal(self) -> None:
        habit = taught(value=1000.0, spread=10.0)
        assert not any(habit.take(0.9e6, after(n), floor=FLOOR) for n in range(10))

    def test_each_hour_has_its_own_normal(self) -> None:
        habit = taught()
        evening = NOON + timedelta(hours=8)
        for n in range(ENOUGH):
            habit.take(300e6 + n, evening, floor=FLOOR)
        assert not any(habit.take(300e6, evening, floor=FLOOR) for _ in range(5))

    def test_what_was_learned_survives_as_text(self) -> None:
        again = Habit.unpacked(taught().packed())
        assert any(again.take(200e6, after(n), floor=FLOOR) for n in range(IN_A_ROW))

    @pytest.mark.parametrize("text", ["", "AAAA", "no base64!"])
    def test_what_is_no_habit_is_said(self, text: str) -> None:
        with pytest.raises(ValueError, match=r".*"):
            Habit.unpacked(text)

    @given(st.lists(st.floats(0, 1e12), max_size=300))
    def test_beginnings_and_ends_take_turns_whatever_comes(self, values: list[float]) -> None:
        habit = Habit()
        facts = [habit.take(value, after(30 * n), floor=FLOOR) for n, value in enumerate(values)]
        kinds = [type(fact) for fact in facts if fact]
        assert kinds == [BecameAbnormal if n % 2 == 0 else BecameNormal for n in range(len(kinds))]
