"""Many keys side by side, each in its own order, and a rest after a failure."""

from __future__ import annotations

import asyncio

import pytest

from services.poller.handlers.courier import Courier, Outcome
from tests.fakes.virtual_time import run_virtually


class Bags:
    """Things under keys; carrying takes `takes_s`, or as long as `slow` says for a key."""

    def __init__(self, at_once: int = 4, takes_s: float = 0.1) -> None:
        self.waiting: dict[str, list[int]] = {}
        self.carried: list[tuple[str, int, float]] = []
        self.failing = 0
        self.slow: dict[str, float] = {}
        self.side_by_side = self.most = 0
        self.takes_s = takes_s
        self.courier = Courier(self.carry, at_once=at_once)

    def put(self, key: str, thing: int) -> None:
        self.waiting.setdefault(key, []).append(thing)
        self.courier.more(key)

    async def carry(self, key: str) -> Outcome:
        self.side_by_side += 1
        self.most = max(self.most, self.side_by_side)
        await asyncio.sleep(self.slow.get(key, self.takes_s))
        self.side_by_side -= 1
        if self.failing:
            self.failing -= 1
            return Outcome.AGAIN
        now = asyncio.get_running_loop().time()
        self.carried.append((key, self.waiting[key].pop(0), round(now, 3)))
        return Outcome.MORE if self.waiting[key] else Outcome.EMPTY


def played(bags: Bags, seconds: float) -> Bags:
    async def story() -> None:
        running = asyncio.create_task(bags.courier.run())
        await asyncio.sleep(seconds)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    run_virtually(story())
    return bags


def test_things_of_a_key_go_in_order_and_no_more_keys_at_once_than_allowed():
    bags = Bags(at_once=4)
    for thing in range(3):
        for key in "abcdef":
            bags.put(key, thing)
    played(bags, 5)
    assert bags.most == 4
    for key in "abcdef":
        assert [thing for one, thing, _ in bags.carried if one == key] == [0, 1, 2]


def test_slow_key_holds_up_nothing_but_itself():
    bags = Bags(at_once=2)
    bags.slow["a"] = 3.0
    bags.put("a", 0)
    for thing in range(10):
        bags.put("b", thing)
    played(bags, 5)
    assert [thing for key, thing, at in bags.carried if key == "b" and at <= 1.05] == list(range(10))
    assert ("a", 0, 3.0) in bags.carried


def test_failure_makes_everything_rest_for_a_growing_time_and_loses_nothing():
    bags = Bags()
    bags.failing = 3
    bags.put("a", 0)
    played(bags, 10)
    [(_, _, at)] = bags.carried
    assert at == pytest.approx(4 * 0.1 + 0.1 + 0.2 + 0.4)


def test_bug_in_carrying_ends_the_run():
    async def broken(_key: str) -> Outcome:
        raise ZeroDivisionError

    async def story() -> None:
        courier = Courier(broken, at_once=2)
        courier.more("a")
        with pytest.raises(ZeroDivisionError):
            await courier.run()

    run_virtually(story())
