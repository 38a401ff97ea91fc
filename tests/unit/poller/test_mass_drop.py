"""Many endings as one thing: when, by what name, of how many, and when they are back."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from services.poller.core.mass_drop import PATIENCE, Carrier, Dropped, Loss, MassDropWatch, Returned
from shared.contracts.vocabulary import DropCause

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
ROUTER = Carrier(DropCause.ROUTER, "gw-waru")
ETHER = Carrier(DropCause.INTERFACE, "ether2")
VLAN101 = Carrier(DropCause.VLAN, "vlan101")
VLAN102 = Carrier(DropCause.VLAN, "vlan102")
POOL = Carrier(DropCause.POOL, "pppoe")


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


class Net:
    """Sessions of a router, and what was said of their endings."""

    def __init__(self, **vlans: int) -> None:
        self.open = {
            f"{name}-{number}": frozenset({ROUTER, ETHER, POOL, Carrier(DropCause.VLAN, name)})
            for name, count in vlans.items()
            for number in range(count)
        }
        self.watch = MassDropWatch(lambda: Counter(c for carriers in self.open.values() for c in carriers))
        self.told: list[Dropped | Returned] = []
        self.ids: dict[str, str | None] = {}
        self._waiting: list[Loss] = []

    def close(self, account: str, seconds: float) -> None:
        self.tick(seconds)
        loss = Loss(account, account, self.open.pop(account), later(seconds))
        self.watch.lost(loss)
        self._waiting.append(loss)

    def tick(self, seconds: float) -> None:
        now = later(seconds)
        for loss in list(self._waiting):
            if now - loss.at >= timedelta(seconds=0.15) and not self.watch.undecided(loss, now):
                self._waiting.remove(loss)
                self.ids[loss.account] = self.watch.drop_of(loss)
        self.told += self.watch.due(now)

    def run(self, begin: float, end: float) -> None:
        for step in range(int((end - begin) * 10) + 1):
            self.tick(begin + step / 10)

    @property
    def drops(self) -> list[Dropped]:
        return [fact for fact in self.told if isinstance(fact, Dropped)]


def names(vlan: str, count: int) -> list[str]:
    return [f"{vlan}-{number}" for number in range(count)]


def test_300_of_312_in_three_seconds_on_one_vlan_are_one_drop_that_names_it():
    net = Net(vlan101=312, vlan102=200)
    for number, account in enumerate(names("vlan101", 300)):
        net.close(account, number / 100)
    net.run(3, 10)
    [drop] = net.drops
    assert (drop.carrier, drop.lost, drop.of) == (VLAN101, 300, 312)
    assert (drop.since, drop.at <= later(5.2)) == (NOW, True)
    assert net.ids == dict.fromkeys(names("vlan101", 300), drop.drop_id), "every ending says to what it belongs"


@pytest.mark.parametrize("seed", range(5))
def test_300_endings_spread_over_an_hour_are_300_things(seed):
    chance = random.Random(seed)  # noqa: S311
    net = Net(vlan101=400)
    for account, at in zip(names("vlan101", 300), sorted(chance.uniform(0, 3600) for _ in range(300)), strict=True):
        net.close(account, at)
    net.run(3600, 3620)
    assert net.told == []
    assert set(net.ids.values()) == {None}
    assert len(net.ids) == 300


@pytest.mark.parametrize(
    ("vlans", "lost", "cause"),
    [
        pytest.param({"vlan101": 50}, {"vlan101": 50}, VLAN101, id="the-only-vlan-is-its-narrowest-name"),
        pytest.param({"vlan101": 50, "vlan102": 50}, {"vlan101": 50, "vlan102": 50}, ETHER, id="both-vlans-of-a-port"),
        pytest.param({"vlan101": 400, "vlan102": 50}, {"vlan101": 100}, VLAN101, id="a-quarter-of-a-vlan"),
    ],
)
def test_cause_is_what_explains_the_losses_best(vlans, lost, cause):
    net = Net(**vlans)
    accounts = [account for vlan, count in lost.items() for account in names(vlan, count)]
    for number, account in enumerate(accounts):
        net.close(account, number / 100)
    net.run(2, 8)
    [drop] = net.drops
    assert (drop.carrier, drop.lost) == (cause, sum(lost.values()))


def test_few_endings_or_a_small_share_are_no_drop():
    net = Net(vlan101=2000, vlan102=9)
    for number, account in enumerate([*names("vlan102", 9), *names("vlan101", 100)]):
        net.close(account, number / 100 if number < 9 else 20 + number / 50)
    net.run(23, 40)
    assert net.drops == []


def test_single_ending_is_told_without_waiting_and_others_after_a_second():
    net = Net(vlan101=400)
    net.close("vlan101-0", 0)
    net.tick(0.16)
    assert net.ids == {"vlan101-0": None}
    for number in range(1, 5):
        net.close(f"vlan101-{number}", 10)
    net.tick(10.5)
    assert len(net.ids) == 1
    net.tick(11.1)
    assert len(net.ids) == 5


def test_latecomers_of_a_drop_belong_to_it_and_are_no_second_one():
    net = Net(vlan101=312)
    for number, account in enumerate(names("vlan101", 250)):
        net.close(account, number / 100)
    net.run(2.5, 6)
    for number in range(250, 300):
        net.close(f"vlan101-{number}", 6 + number / 1000)
    net.run(7, 30)
    [drop] = net.drops
    assert set(net.ids.values()) == {drop.drop_id}


@pytest.mark.parametrize(("back", "after_s"), [(296, 100.0), (100, PATIENCE.total_seconds() + 10)])
def test_return_is_told_once_when_most_are_back_or_nobody_waits_longer(back, after_s):
    net = Net(vlan101=312)
    for number, account in enumerate(names("vlan101", 300)):
        net.close(account, number / 100)
    net.run(3, 8)
    for number in range(back):
        net.told += net.watch.opened(f"vlan101-{number}", later(100))
    net.told += net.watch.due(later(after_s))
    [returned] = [fact for fact in net.told if isinstance(fact, Returned)]
    enough = 240 if back == 296 else back
    assert (returned.carrier, returned.back, returned.lost) == (VLAN101, enough, 300)
    assert returned.drop_id == net.drops[0].drop_id
