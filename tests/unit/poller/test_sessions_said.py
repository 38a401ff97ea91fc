"""What scripts of a router say meets what its tables show: one fact each, whichever comes first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.poller.core.session_rows import slot_at
from services.poller.core.sessions import Changed, Closed, Opened, Said, Seen, SessionBook

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
MAC = "A4:5E:60:11:22:33"
LOGIN = Said("budi", "10.5.0.17", MAC)
SLOT = "1100050A"
DIAL = Said("siti", "10.6.0.9", MAC, line="*F00001")
DIALLED = Seen("80000001", "siti", "10.6.0.9", MAC, "0x81100001", timedelta())


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def row(**others: object) -> Seen:
    return Seen(**{"slot": SLOT, "account": "budi", "address": "10.5.0.17", "mac": MAC, **others})


def kinds(facts: list) -> list[type]:
    return [type(fact) for fact in facts if isinstance(fact, Opened | Changed | Closed)]


def test_slot_of_a_hotspot_session_is_its_address_last_byte_first():
    assert (slot_at("10.5.0.17"), slot_at("10.10.8.211"), slot_at(None)) == (SLOT, "D3080A0A", None)


@pytest.mark.parametrize("first", ["script", "table"])
def test_login_by_both_ways_is_opened_once(first):
    book = SessionBook()

    def said(at):
        return book.said_opened(LOGIN, at, slot=SLOT, live=True)

    def shown(at):
        return book.seen(row(), at)

    ways = (said, shown) if first == "script" else (shown, said)
    assert kinds(ways[0](NOW)) == [Opened]
    assert kinds(ways[1](later(0.2))) == []
    assert len(book) == 1


@pytest.mark.parametrize("first", ["script", "table"])
def test_logout_by_both_ways_is_closed_once(first):
    book = SessionBook()
    book.seen(row(), NOW)
    said = Said("budi", "10.5.0.17", MAC, reason="user request", duration=timedelta(seconds=60))

    def spoken(at):
        return book.said_closed(said, at, live=True)

    def gone(at):
        return book.gone(SLOT, at)

    ways = (spoken, gone) if first == "script" else (gone, spoken)
    assert kinds(ways[0](later(60))) == [Closed]
    assert kinds(ways[1](later(60.1))) == []


def test_ppp_row_that_comes_after_the_script_is_the_same_session():
    book = SessionBook()
    [opened] = book.said_opened(DIAL, NOW, slot="said-F00001", live=True)
    assert kinds(book.seen(Seen("80000001", "siti", None, MAC, "0x81100001"), later(0.01))) == []
    assert kinds(book.seen(DIALLED, later(0.02))) == []
    [closed] = book.gone("80000001", later(100))
    assert (closed.session.slot, closed.session.number) == (opened.session.slot, opened.session.number)


def test_script_gives_a_waiting_row_its_address():
    book = SessionBook()
    book.seen(Seen("80000001", "siti", None, MAC, "0x81100001"), NOW)
    [opened] = book.said_opened(DIAL, later(0.1), slot="said-F00001", live=True)
    assert (opened.at, opened.session.address, opened.session.line) == (NOW, "10.6.0.9", "*F00001")
    assert kinds(book.seen(DIALLED, later(0.2))) == []


def test_row_that_lingers_after_the_script_told_its_end_opens_nothing():
    book = SessionBook()
    book.seen(row(uptime=timedelta()), NOW)
    book.said_closed(Said("budi", "10.5.0.17", MAC, duration=timedelta(seconds=300)), later(300), live=True)
    assert book.seen(row(uptime=timedelta(seconds=300)), later(300.1)) == []
    assert book.gone(SLOT, later(300.2)) == []
    assert kinds(book.seen(row(uptime=timedelta()), later(301))) == [Opened]


def test_late_logout_of_the_session_before_does_not_close_the_new_one():
    book = SessionBook()
    book.seen(row(), later(100))
    before = Said("budi", "10.5.0.17", MAC, reason="user request", duration=timedelta(seconds=3000))
    assert book.said_closed(before, later(101), live=True) == []
    assert book.said_closed(Said("budi", "10.5.0.17", MAC), later(101), live=False) == [], "nor without a duration"
    assert len(book) == 1


def test_logout_of_another_line_closes_nothing():
    book = SessionBook()
    book.said_opened(DIAL, NOW, slot="said-F00001", live=False)
    assert book.said_closed(Said("siti", line="*F00000"), later(60), live=False) == []
    assert kinds(book.said_closed(Said("siti", line="*F00001"), later(60), live=False)) == [Closed]


def test_scripts_alone_tell_sessions_while_the_router_cannot_be_asked():
    book = SessionBook()
    assert kinds(book.said_opened(LOGIN, NOW, slot=SLOT, live=False)) == [Opened]
    assert kinds(book.said_opened(LOGIN, later(5), slot=SLOT, live=False)) == [], "said twice"
    assert kinds(book.said_opened(LOGIN, later(3600), slot=SLOT, live=False)) == [Closed, Opened], "a logout was lost"
    other = Said("siti", "10.5.0.17", "A4:5E:60:11:22:99")
    assert kinds(book.said_opened(other, later(7200), slot=SLOT, live=False)) == [Closed, Opened]
    assert kinds(book.said_closed(other, later(7300), live=False)) == [Closed]


def test_after_the_cut_what_scripts_told_is_not_told_again():
    book = SessionBook()
    book.said_opened(DIAL, NOW, slot="said-F00001", live=False)
    book.said_opened(LOGIN, NOW, slot=SLOT, live=False)
    rows = [Seen("80000001", "siti", "10.6.0.9", MAC, "0x81100001", timedelta(seconds=600)), row()]
    assert kinds(book.compare(rows, later(600), asked_at=later(600))) == []
    assert len(book) == 2
    assert kinds(book.compare([], later(700), asked_at=later(700))) == [Closed, Closed]


def test_session_that_a_script_told_just_now_may_be_missing_from_the_table():
    book = SessionBook()
    book.said_opened(LOGIN, NOW, slot=SLOT, live=True)
    assert book.compare([], later(1), asked_at=later(0.5)) == []


def test_new_address_of_a_session_that_stays_is_a_change_with_what_was_before():
    book = SessionBook()
    book.seen(DIALLED, NOW)
    moved = Seen("80000001", "siti", "10.6.0.77", MAC, "0x81100001", timedelta(seconds=60))
    [changed] = book.seen(moved, later(60))
    assert (changed.address_before, changed.mac_before, changed.session.changes) == ("10.6.0.9", None, 1)
    assert book.seen(moved, later(61)) == []
    other_device = Seen("80000001", "siti", "10.6.0.77", "A4:5E:60:00:00:01", "0x81100001", timedelta(seconds=90))
    [again] = book.seen(other_device, later(90))
    assert (again.mac_before, again.session.changes) == (MAC, 2)


STEP = st.lists(st.booleans(), min_size=4, max_size=4)


@given(script_first=STEP, lag=st.floats(0, 3))
def test_any_order_of_ways_tells_every_login_and_logout_once(script_first, lag):
    """Four sessions one after the other at one address, each told by script and table in either order."""
    book, told = SessionBook(), []
    for number, first in enumerate(script_first):
        begin, end = 1000 * number, 1000 * number + 500
        ways = [
            lambda at: book.said_opened(LOGIN, at, slot=SLOT, live=True),
            lambda at, begin=begin: book.seen(
                row(uptime=timedelta(seconds=int((at - later(begin)).total_seconds()))), at
            ),
        ]
        leaving = Said("budi", "10.5.0.17", MAC, duration=timedelta(seconds=500))
        goings = [
            lambda at, leaving=leaving: book.said_closed(leaving, at, live=True),
            lambda at: book.gone(SLOT, at),
        ]
        for base, pair in ((begin, ways), (end, goings)):
            for offset, way in zip((0, lag), pair if first else pair[::-1], strict=True):
                told += way(later(base + offset))
    assert kinds(told) == [Opened, Closed] * 4
