"""Sessions from rows: what is seen happening, and what is found after a blind time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.poller.core.session_rows import HOTSPOT, PPP, read_row
from services.poller.core.sessions import Changed, Closed, Learnt, Opened, Seen, Session, SessionBook

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
BUDI = Seen("D3080A0A", "budi@paket10", "10.5.0.17", "A4:5E:60:11:22:33")


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def row(slot: str = "1", account: str = "budi", **others: object) -> Seen:
    return Seen(slot, account, **{"address": "10.0.0.2", **others})


def test_row_with_an_address_is_told_at_once():
    [opened] = SessionBook().seen(BUDI, NOW)
    assert isinstance(opened, Opened)
    assert (opened.at, opened.inferred, opened.session.account) == (NOW, False, "budi@paket10")


def test_same_row_again_says_nothing():
    book = SessionBook()
    book.seen(BUDI, NOW)
    assert book.seen(BUDI, later(5)) == []


def test_row_without_address_is_told_when_the_address_comes_with_the_time_it_appeared():
    book = SessionBook()
    assert book.seen(row(address=None), NOW) == []
    [opened] = book.seen(row(), later(0.3))
    assert (opened.at, opened.session.address) == (NOW, "10.0.0.2")


def test_row_without_address_is_told_after_a_second_and_learns_it_later():
    book = SessionBook()
    book.seen(row(address=None), NOW)
    assert book.ripe_at() == NOW
    assert book.ripe(later(0.9)) == []
    [opened] = book.ripe(later(1.0))
    assert opened.session.address is None
    [learnt] = book.seen(row(), later(2))
    assert isinstance(learnt, Learnt)
    assert learnt.session.address == "10.0.0.2"


def test_session_too_short_for_an_address_is_told_opened_and_closed():
    book = SessionBook()
    book.seen(row(address=None), NOW)
    assert [type(fact) for fact in book.gone("1", later(0.4))] == [Opened, Closed]


def test_closed_session_has_the_id_of_its_opening_and_its_duration():
    book = SessionBook()
    [opened] = book.seen(BUDI, NOW)
    [closed] = book.gone(BUDI.slot, later(3857))
    assert (closed.session.slot, closed.session.number) == (opened.session.slot, opened.session.number)
    assert (closed.duration_s, closed.inferred) == (3857.0, False)
    assert len(book) == 0


def test_end_of_an_unknown_row_says_nothing():
    assert SessionBook().gone("77", NOW) == []


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"account": "siti"}, id="another-account"),
        pytest.param({"mark": "0x81500002"}, id="another-session-number"),
        pytest.param({"mac": "AA:AA:AA:AA:AA:02"}, id="another-device"),
    ],
)
def test_slot_given_to_another_session_closes_the_first(changed):
    book = SessionBook()
    book.seen(row(mark="0x81500001", mac="AA:AA:AA:AA:AA:01"), NOW)
    facts = book.seen(row(**{"mark": "0x81500001", "mac": "AA:AA:AA:AA:AA:01", **changed}), later(60))
    assert [type(fact) for fact in facts] == [Closed, Opened]
    assert facts[0].session.number < facts[1].session.number


def test_numbers_grow_within_one_second_and_after_a_restart():
    book = SessionBook()
    numbers = []
    for _ in range(3):
        numbers.append(book.seen(BUDI, NOW)[0].session.number)
        book.gone(BUDI.slot, NOW)
    assert numbers == sorted(set(numbers))
    again = SessionBook([Session("9", numbers[-1] + 50, "ani", NOW)])
    assert again.seen(BUDI, NOW)[0].session.number > numbers[-1] + 50


def test_bytes_that_were_read_long_before_the_end_come_with_that_time():
    book = SessionBook()
    book.seen(row(bytes_in=1, bytes_out=2), NOW)
    book.seen(row(bytes_in=100, bytes_out=200), later(50))
    [fresh] = book.gone("1", later(55))
    assert fresh.counters == (100, 200, None)
    book.seen(row(bytes_in=1, bytes_out=2), NOW)
    [old] = book.gone("1", later(500))
    assert old.counters == (1, 2, NOW)


class TestAfterBlindTime:
    def book(self) -> SessionBook:
        book = SessionBook()
        book.seen(row("1", "budi"), NOW)
        book.seen(row("2", "siti"), NOW)
        return book

    def test_same_table_says_nothing(self):
        rows = [row("1", "budi", uptime=timedelta(seconds=600)), row("2", "siti", uptime=timedelta(seconds=600))]
        assert self.book().compare(rows, later(600), asked_at=later(600)) == []

    def test_missing_row_is_an_inferred_closing(self):
        [closed] = self.book().compare([row("2", "siti")], later(600), asked_at=later(600))
        assert isinstance(closed, Closed)
        assert (closed.session.account, closed.inferred) == ("budi", True)

    def test_new_row_is_an_inferred_opening_at_the_time_its_uptime_says(self):
        rows = [row("1", "budi"), row("2", "siti"), row("3", "ani", uptime=timedelta(seconds=90))]
        [opened] = self.book().compare(rows, later(600), asked_at=later(600))
        assert isinstance(opened, Opened)
        assert (opened.at, opened.inferred) == (later(510), True)

    def test_young_row_in_an_old_slot_is_a_new_session(self):
        rows = [row("1", "budi", uptime=timedelta(seconds=60)), row("2", "siti")]
        assert [type(fact) for fact in self.book().compare(rows, later(600), asked_at=later(600))] == [Closed, Opened]

    def test_session_known_since_its_uptime_is_not_told_again_however_late_it_was_found(self):
        book = SessionBook()
        book.compare([row(uptime=timedelta(days=3))], NOW, asked_at=NOW)
        assert book.compare([row(uptime=timedelta(days=3, minutes=10))], later(600), asked_at=later(600)) == []

    def test_restart_in_between_says_nothing(self):
        book = self.book()
        assert (
            SessionBook(book.sessions()).compare([row("1", "budi"), row("2", "siti")], later(30), asked_at=later(30))
            == []
        )


class TestWhileATableIsRead:
    """The listen goes on while the router prints: what it said meanwhile is newer than the table."""

    def test_session_that_opened_meanwhile_is_not_closed(self):
        book = SessionBook()
        book.seen(row("1", "budi"), later(1))
        assert book.compare([], later(2), asked_at=NOW) == []
        assert len(book) == 1

    def test_session_that_closed_meanwhile_is_not_opened_again(self):
        book = SessionBook()
        book.seen(row("1", "budi"), NOW)
        book.gone("1", later(61))
        assert book.compare([row("1", "budi")], later(62), asked_at=later(60)) == []

    def test_slow_table_does_not_make_sessions_young(self):
        book = SessionBook()
        book.seen(row("1", "budi", uptime=timedelta()), NOW)
        assert book.compare([row("1", "budi", uptime=timedelta(seconds=60))], later(90), asked_at=later(60)) == []


ACTIONS = st.lists(st.tuples(st.sampled_from(["in", "out", "compare", "restart"]), st.integers(0, 4)), max_size=60)


@given(ACTIONS)
def test_any_story_tells_every_session_once_and_in_pairs(actions):
    """Whatever comes, and however often the poller restarts: opened and closed alternate per slot, with fresh ids."""
    book, present, story = SessionBook(), {}, []
    for step, (action, slot) in enumerate(actions):
        now = later(step * 20)
        if action == "in":
            present.setdefault(str(slot), row(str(slot), f"user-{slot}"))
            story += book.seen(present[str(slot)], now)
        elif action == "out":
            present.pop(str(slot), None)
            story += book.gone(str(slot), now)
        elif action == "restart":
            book = SessionBook(book.sessions())
        else:
            story += book.compare(list(present.values()), now, asked_at=now)
    opened = [fact.session.number for fact in story if isinstance(fact, Opened)]
    assert len(set(opened)) == len(opened)
    assert {session.slot for session in book.sessions()} == set(present)
    for slot in "01234":
        kinds = [type(fact) for fact in story if fact.session.slot == slot and not isinstance(fact, Changed)]
        assert kinds == [Opened, Closed] * (len(kinds) // 2) + [Opened] * (len(kinds) % 2)


@pytest.mark.parametrize(
    ("table", "raw", "expected"),
    [
        pytest.param(
            HOTSPOT,
            {
                ".id": "*D3080A0A",
                "user": "budi",
                "address": "10.5.0.17",
                "mac-address": "A4:5E:60:11:22:33",
                "uptime": "1h2m3s",
                "bytes-in": "10",
                "bytes-out": "20",
            },
            Seen(
                "D3080A0A",
                "budi",
                "10.5.0.17",
                "A4:5E:60:11:22:33",
                uptime=timedelta(hours=1, minutes=2, seconds=3),
                bytes_in=10,
                bytes_out=20,
            ),
            id="hotspot",
        ),
        pytest.param(
            PPP,
            {".id": "*80000123", "name": "007", "caller-id": "A4:5E:60:11:22:33", "session-id": "0x81500001"},
            Seen("80000123", "007", None, "A4:5E:60:11:22:33", mark="0x81500001"),
            id="ppp-before-its-address",
        ),
        pytest.param(PPP, {".id": "*1", "name": "andr\udce9"}, Seen("1", "andré"), id="bytes-of-an-old-code-page"),
        pytest.param(PPP, {".id": "*1", "name": "a", "uptime": "soon"}, Seen("1", "a"), id="strange-uptime"),
        pytest.param(HOTSPOT, {".id": "*1", "address": "10.0.0.9"}, None, id="row-that-names-nobody"),
    ],
)
def test_rows_are_read(table, raw, expected):
    assert read_row(table, raw) == expected
