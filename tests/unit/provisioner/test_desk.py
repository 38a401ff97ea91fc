"""In what order a router's accounts are worked on."""

from __future__ import annotations

from services.provisioner.core.desk import Desk, Order
from shared.contracts.ids import AccountId
from tests.fakes.provisioning import desired


def order(account: str, generation: int = 1, failures: int = 0) -> Order:
    return Order(desired(generation, account_id=AccountId(account), sealed_password="x"), failures=failures)


def test_newest_order_of_an_account_replaces_the_one_that_waits():
    desk = Desk(places=2)
    for generation in (1, 3, 2):
        desk.put(order("a", generation))
    assert len(desk) == 1
    assert desk.take() == order("a", 3)


def test_an_older_backlog_does_not_replace_a_fresh_order():
    desk = Desk(places=2)
    desk.put(order("a", 2))
    desk.put(order("a", 1), backlog=True)
    assert len(desk) == 1
    assert desk.take() == order("a", 2)


def test_a_fresh_order_takes_over_from_the_backlog():
    desk = Desk(places=2)
    desk.put(order("a", 5), backlog=True)
    desk.put(order("a", 4))
    assert len(desk) == 1
    assert desk.take() == order("a", 5)


def test_fresh_orders_go_before_the_backlog():
    desk = Desk(places=9)
    desk.put(order("old"), backlog=True)
    desk.put(order("new"))
    assert [desk.take(), desk.take(), desk.take()] == [order("new"), order("old"), None]


def test_an_account_is_worked_on_by_one_at_a_time():
    desk = Desk(places=9)
    desk.put(order("a", 1))
    first = desk.take()
    desk.put(order("a", 2))
    desk.put(order("b"))
    assert first == order("a", 1)
    assert desk.take() == order("b")
    assert desk.take() is None
    desk.done(first)
    assert desk.take() == order("a", 2)


def test_places_are_bounded():
    desk = Desk(places=2)
    for account in "abc":
        desk.put(order(account))
    taken = [desk.take(), desk.take()]
    assert desk.take() is None
    assert taken[0] is not None
    desk.done(taken[0])
    assert desk.take() == order("c")
