"""Addresses that are given and given back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.poller.core.leases import Bound, Held, LeaseBook, Released, read_lease

START = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
MAC, OTHER = "A4:5E:60:11:22:33", "A4:5E:60:11:22:44"
ROW = {
    ".id": "*1",
    "address": "10.5.0.17",
    "mac-address": MAC,
    "server": "dhcp-lan",
    "status": "bound",
    "active-address": "10.5.0.17",
    "active-mac-address": MAC,
    "active-server": "dhcp-lan",
    "host-name": "Galaxy-A14",
}


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def lease(**changes: str):
    return read_lease({**ROW, **{name.replace("_", "-"): value for name, value in changes.items()}})


def held(address: str = "10.5.0.17", mac: str = MAC, since: float = 0) -> Held:
    return Held(address, mac, "dhcp-lan", "", at(since), 5)


def told(facts):
    return [(type(fact).__name__, fact.held.address, fact.held.mac, fact.inferred) for fact in facts]


@pytest.mark.parametrize(
    "changes",
    [{"status": "waiting"}, {"status": "offered"}, {"disabled": "true"}, {"active-mac-address": "", "mac-address": ""}],
)
def test_rows_that_are_not_bound(changes):
    assert read_lease({**ROW, **changes}) is None


def test_static_lease_of_any_server_names_the_one_that_gave_it():
    assert read_lease({**ROW, "server": "all"}).server == "dhcp-lan"


def test_lease_is_told_once_and_its_renewals_are_no_news():
    book = LeaseBook()
    assert told(book.seen("*1", lease(), at(0))) == [("Bound", "10.5.0.17", MAC, False)]
    assert [book.seen("*1", lease(), at(300 * n)) for n in range(1, 5)] == [[], [], [], []]


@pytest.mark.parametrize("how", ["row-goes", "waits-again"])
def test_release(how):
    book = LeaseBook()
    book.seen("*1", lease(), at(0))
    facts = book.gone("*1", at(9)) if how == "row-goes" else book.seen("*1", None, at(9))
    assert told(facts) == [("Released", "10.5.0.17", MAC, False)]
    assert book.gone("*1", at(10)) == []


def test_address_that_goes_to_another_device_is_released_first():
    book = LeaseBook()
    book.seen("*1", lease(), at(0))
    other = lease(active_mac_address=OTHER)
    assert told(book.seen("*2", other, at(5))) == [
        ("Released", "10.5.0.17", MAC, False),
        ("Bound", "10.5.0.17", OTHER, False),
    ]


def test_device_that_moves_gives_its_old_address_back():
    book = LeaseBook()
    book.seen("*1", lease(), at(0))
    moved = book.seen("*1", lease(active_address="10.5.0.18", address="10.5.0.18"), at(5))
    assert [type(fact) for fact in moved] == [Released, Bound]
    assert [fact.held.address for fact in moved] == ["10.5.0.17", "10.5.0.18"]


def test_blind_time_tells_only_true_differences():
    book = LeaseBook([held(), held("10.5.0.9")])
    rows = [lease(), lease(active_address="10.5.0.20", active_mac_address=OTHER)]
    facts = book.compare(rows, at(60), asked_at=at(59), news=True)
    assert told(facts) == [("Released", "10.5.0.9", MAC, True), ("Bound", "10.5.0.20", OTHER, True)]


def test_first_look_is_learned_and_not_told():
    facts = LeaseBook().compare([lease()], at(60), asked_at=at(59), news=False)
    assert [fact.news for fact in facts] == [False]


def test_table_that_is_older_than_what_was_heard_changes_nothing():
    book = LeaseBook([held()])
    book.seen("*1", lease(), at(1))
    book.seen("*2", lease(active_address="10.5.0.21", active_mac_address=OTHER, **{".id": "*2"}), at(10.5))
    assert [fact.held.address for fact in book.gone("*1", at(10.6))] == ["10.5.0.17"]
    assert book.compare([lease()], at(11), asked_at=at(10), news=True) == []


def test_numbers_only_grow_even_within_a_second():
    book, numbers = LeaseBook([held()]), []
    for _ in range(3):
        [fact] = book.seen("*2", lease(active_address="10.5.0.30", active_mac_address=OTHER, **{".id": "*2"}), at(1))
        numbers.append(fact.held.number)
        assert len(book.gone("*2", at(1))) == 1
    assert numbers == sorted(set(numbers))
    assert numbers[0] > 5
