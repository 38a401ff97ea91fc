"""Neighbours that were never seen before."""

from __future__ import annotations

import pytest

from services.poller.core.neighbors import MOST_AT_ONCE, MOST_KNOWN, NeighborBook, read_neighbor

ROW = {
    "interface": "ether3,bridge",
    "mac-address": "DC:2C:6E:00:00:01",
    "address": "10.0.0.9",
    "identity": "ap-1",
    "platform": "MikroTik",
    "board": "RB5009",
    "version": "7.16.2 (stable)",
}


def many(first: int, count: int):
    return [
        read_neighbor({**ROW, "mac-address": f"DC:2C:6E:00:{n >> 8:02X}:{n & 255:02X}"})
        for n in range(first, first + count)
    ]


def macs(neighbors):
    return [neighbor.mac for neighbor in neighbors]


def test_row_is_read_with_its_port_first():
    neighbor = read_neighbor(ROW)
    assert (neighbor.interface, neighbor.address, neighbor.board) == ("ether3", "10.0.0.9", "RB5009")


@pytest.mark.parametrize("mac", ["", "10.0.0.9"])
def test_row_without_mac_is_left_out(mac):
    assert read_neighbor({**ROW, "mac-address": mac}) is None


def test_first_look_learns_silently():
    book = NeighborBook(None)
    assert book.look(many(0, 5)) == ([], True)
    assert book.look(many(0, 5)) == ([], False)
    new, remember = book.look(many(0, 6))
    assert (len(new), remember) == (1, True)


def test_first_look_that_sees_nobody_counts_too():
    book = NeighborBook(None)
    assert book.look([]) == ([], True)
    assert len(book.look(many(0, 1))[0]) == 1


def test_restart_knows_everybody():
    before = NeighborBook(None)
    before.look(many(0, 5))
    after = NeighborBook(before.remembered(), before.count)
    assert macs(after.look(many(0, 7))[0]) == macs(many(5, 2))
    assert after.count == 7


def test_many_at_once_are_told_a_few_per_look_and_none_is_lost():
    book = NeighborBook("")
    told = [macs(book.look(many(0, 3 * MOST_AT_ONCE))[0]) for _ in range(5)]
    assert [len(one) for one in told] == [MOST_AT_ONCE] * 3 + [0, 0]
    assert [mac for one in told for mac in one] == macs(many(0, 3 * MOST_AT_ONCE))


def test_memory_is_bounded_and_forgets_who_was_away_longest():
    book = NeighborBook(None)
    book.look(many(0, MOST_KNOWN))
    book.look(many(0, 1))  # number 0 is here again
    book.look(many(MOST_KNOWN, 1))
    assert len(book.remembered()) == 12 * MOST_KNOWN
    assert macs(book.look(many(0, 2))[0]) == macs(many(1, 1))
