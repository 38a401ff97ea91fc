"""Links that are lost and come back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.poller.core.interfaces import (
    Forgotten,
    InterfaceBook,
    Known,
    Learned,
    LinkBack,
    LinkLost,
    Withdrawn,
    read_port,
)

START = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
ROW = {".id": "*3", "name": "ether3", "type": "ether", "running": "true", "disabled": "false", "comment": "to Lereng"}


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def port(**changes: str):
    return read_port({**ROW, **changes})


UP, DOWN = port(), port(running="false")


@pytest.mark.parametrize(
    "row",
    [
        pytest.param({"name": "<pppoe-budi>", "type": "pppoe-in", "running": "true"}, id="session"),
        pytest.param({"name": "pppoe-tetap", "type": "pppoe-in", "running": "true"}, id="static-binding"),
        pytest.param({"name": "<l2tp-x>", "type": "other"}, id="angle-brackets"),
        pytest.param({**ROW, "dynamic": "true"}, id="dynamic"),
        pytest.param({".id": "*9"}, id="nameless"),
    ],
)
def test_rows_that_are_nobodys_port(row):
    assert read_port(row) is None


def test_lost_link_and_its_return_are_told_with_numbers_that_follow_each_other():
    book = InterfaceBook()
    assert [type(fact) for fact in book.seen(UP, at(0))] == [Learned]
    [lost] = book.seen(DOWN, at(10))
    [back] = book.seen(UP, at(70))
    assert (type(lost), lost.inferred, lost.port.comment) == (LinkLost, False, "to Lereng")
    assert (type(back), back.known.change, back.down_since) == (LinkBack, lost.known.change + 1, at(10))


def test_port_that_never_ran_is_not_down_and_its_first_link_is_no_return():
    book = InterfaceBook()
    assert book.seen(DOWN, at(0)) == []
    assert [type(fact) for fact in book.seen(UP, at(1))] == [Learned]


def test_disabled_port_is_forgotten_not_down():
    book = InterfaceBook()
    book.seen(UP, at(0))
    assert book.seen(port(running="false", disabled="true"), at(5)) == [Forgotten("ether3")]
    assert book.seen(DOWN, at(9)) == []


@pytest.mark.parametrize("how", ["disabled", "removed", "renamed", "missing"])
def test_port_that_was_told_to_be_down_is_withdrawn_when_nobody_expects_its_link_any_more(how):
    book = InterfaceBook()
    book.seen(UP, at(0))
    [lost] = book.seen(DOWN, at(10))
    match how:
        case "disabled":
            facts = book.seen(port(running="false", disabled="true"), at(20))
        case "removed":
            facts = book.gone("*3", at(20))
        case "renamed":
            facts = book.seen(port(running="false", name="spare"), at(20))
        case _:
            facts = book.compare([], at(20), asked_at=at(19), inferred=True)
    [withdrawn] = facts
    assert isinstance(withdrawn, Withdrawn)
    assert (withdrawn.known.name, withdrawn.down_since) == ("ether3", at(10))
    assert withdrawn.known.change == lost.known.change + 1
    assert book.seen(port(running="false", disabled="true"), at(30)) == []


def test_number_of_a_change_is_never_given_again_to_a_port_that_was_disabled_meanwhile():
    book, numbers = InterfaceBook(), []
    for second in range(0, 40, 10):
        book.seen(UP, at(second))
        numbers += [fact.known.change for fact in book.seen(DOWN, at(second + 1))]
        book.seen(port(running="false", disabled="true"), at(second + 2))
    assert len(set(numbers)) == 4


def test_removed_and_renamed_ports_are_forgotten():
    book = InterfaceBook()
    book.seen(UP, at(0))
    renamed = book.seen(port(name="uplink"), at(5))
    assert [type(fact) for fact in renamed] == [Forgotten, Learned]
    assert book.gone("*3", at(6)) == [Forgotten("uplink")]
    assert book.gone("*3", at(7)) == []


def test_comparison_after_a_blind_time_tells_only_true_differences():
    book = InterfaceBook(
        [Known("ether1", True, 4, START), Known("ether3", True, 7, START), Known("old", True, 0, START)]
    )
    rows = [port(name="ether1", **{".id": "*1"}), DOWN]
    facts = book.compare(rows, at(60), asked_at=at(59), inferred=True)
    [lost] = [fact for fact in facts if isinstance(fact, LinkLost)]
    assert (lost.known.name, lost.known.change, lost.inferred) == ("ether3", 8, True)
    assert [fact for fact in facts if fact is not lost] == [Forgotten("old")]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        pytest.param(40, 40, id="while-nobody-looked"),
        pytest.param(-5, 60, id="before-it-was-seen-running"),
        pytest.param(61, 60, id="in-the-future"),
        pytest.param(None, 60, id="not-said"),
    ],
)
def test_missed_change_has_the_time_that_the_router_remembers_if_that_can_be(said, told):
    book = InterfaceBook([Known("ether3", True, 7, START)])
    row = {**ROW, "running": "false", "last-link-down-time": "then", "last-link-up-time": "another"}
    missed = read_port(row, lambda text: at(said) if text == "then" and said is not None else None)
    [lost] = book.compare([missed], at(60), asked_at=at(59), inferred=True)
    assert (lost.at, lost.known.since) == (at(told), at(told))


def test_change_that_was_seen_has_our_time():
    book = InterfaceBook([Known("ether3", True, 7, START)])
    [lost] = book.seen(read_port({**ROW, "running": "false"}, lambda _: at(40)), at(60))
    assert lost.at == at(60)


def test_table_that_is_older_than_what_was_heard_changes_nothing():
    book = InterfaceBook([Known("ether3", True, 0, START)])
    book.seen(DOWN, at(10.5))
    assert book.compare([UP], at(11), asked_at=at(10), inferred=True) == []
    assert book.compare([DOWN], at(20), asked_at=at(19), inferred=True) == []


def test_restless_port_is_told_again_when_it_has_settled():
    book = InterfaceBook([Known("ether3", True, 0, START)])
    told = [fact for second in range(40) for fact in book.seen(DOWN if second % 2 == 0 else UP, at(second))]
    assert len(told) == 6
    assert book.seen(DOWN, at(40)) == []
    assert book.settle(at(60)) == []
    assert [type(fact) for fact in book.settle(at(71))] == [LinkLost]
    assert [type(fact) for fact in book.seen(UP, at(72))] == [LinkBack]


def test_comparison_does_not_tell_what_is_still_restless():
    book = InterfaceBook([Known("ether3", True, 0, START)])
    for second in range(7):
        book.seen(DOWN if second % 2 == 0 else UP, at(second))
    assert book.compare([DOWN], at(8), asked_at=at(7.5), inferred=True) == []


def test_port_that_ran_before_the_start_is_held_back_until_the_router_had_its_time():
    book = InterfaceBook([Known("ether3", True, 0, START), Known("ether4", True, 0, START)])
    other = {".id": "*4", "name": "ether4", "running": "false"}
    book.connected(at(30))
    assert book.compare([DOWN, port(**other)], at(5), asked_at=at(4), inferred=True) == []
    assert book.seen(port(**{**other, "running": "true"}), at(9)) == []
    assert book.settle(at(29)) == []
    [lost] = book.settle(at(30))
    assert (lost.port.name, lost.inferred) == ("ether3", True)
    [lost] = book.seen(port(**other), at(31))
    assert (lost.port.name, lost.inferred) == ("ether4", False)


def test_port_seen_running_since_the_start_is_news_when_it_stops():
    book = InterfaceBook()
    book.connected(at(30))
    book.seen(UP, at(1))
    assert [type(fact) for fact in book.seen(DOWN, at(2))] == [LinkLost]


@given(st.lists(st.tuples(st.booleans(), st.floats(0.1, 40)), max_size=80), st.integers(0, 80))
def test_down_and_up_take_turns_with_growing_numbers_whatever_comes_and_wherever_it_is_restarted(steps, restart):
    book, now, told = InterfaceBook(), 0.0, []
    known: dict[str, Known] = {}
    for number, (running, seconds) in enumerate(steps):
        now += seconds
        row = UP if running else DOWN
        if number == restart:
            book = InterfaceBook(known.values())
            facts = book.compare([row], at(now), asked_at=at(now), inferred=True)
        else:
            facts = book.seen(row, at(now)) + book.settle(at(now))
        for fact in facts:
            known[fact.known.name] = fact.known
            told += [fact] if not isinstance(fact, Learned) else []
    assert [type(fact) for fact in told] == [LinkLost if n % 2 == 0 else LinkBack for n in range(len(told))]
    changes = [fact.known.change for fact in told]
    assert changes == list(range(changes[0], changes[0] + len(told))) if told else True
