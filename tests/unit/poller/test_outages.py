"""Many hosts at once, and a poller that cannot see: stories in virtual time."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from services.poller.core.records import PollerRecord
from shared.contracts.events import (
    HostDown,
    HostTransition,
    HostUnreachable,
    OutageBegan,
    OutageEnded,
    PollerBlind,
    PollerSighted,
)
from shared.contracts.vocabulary import OutageScope
from tests.fakes.virtual_time import EPOCH
from tests.fakes.watchtower import Watchtower, host, watch_over

SENTINELS = ("10.255.0.1", "10.255.0.2")


def names(count: int, site: str = "waru") -> list[str]:
    return [f"{site}-{number}" for number in range(count)]


def test_outage_of_a_site_is_told_once_and_its_members_carry_it():
    async def plot(tower: Watchtower) -> None:
        tower.watch(*(host(name) for name in names(40)), *(host(n, site="rungkut") for n in names(40, "rungkut")))
        await asyncio.sleep(30)
        tower.cut(*names(30))
        await asyncio.sleep(30)
        tower.restore(*names(30)[:25])
        await asyncio.sleep(10)
        assert tower.events(OutageEnded) == [], "five are left: they are still this outage"
        tower.restore(*names(30)[:28])
        await asyncio.sleep(10)

    tower = watch_over(plot)
    [began] = tower.events(OutageBegan)
    assert (began.extent, began.object_id, began.object_name, began.of) == (OutageScope.SITE, "waru", "Waru", 80)
    assert 16 < began.hosts <= 30
    downs = tower.events(HostDown)
    assert len(downs) == 30
    assert {down.outage_id for down in downs} == {began.outage_id}
    told = tower.teller.told
    assert told.index(began) < told.index(downs[0])
    [ended] = tower.events(OutageEnded)
    assert (ended.outage_id, ended.still_down) == (began.outage_id, 3) or ended.still_down == 2
    assert ended.lasted_s == pytest.approx(40, abs=5)


def test_outage_over_several_sites_is_of_the_network():
    async def plot(tower: Watchtower) -> None:
        sites = ("a", "b", "c")
        tower.watch(*(host(name, site=site) for site in sites for name in names(20, site)))
        await asyncio.sleep(30)
        tower.cut(*(name for site in sites for name in names(10, site)))
        await asyncio.sleep(10)

    [began] = watch_over(plot).events(OutageBegan)
    assert (began.extent, began.object_id) == (OutageScope.NETWORK, "poller-1")


def test_nearest_common_parent_is_named_even_if_it_answers():
    """A backbone whose switch lives and whose radio links are all gone."""

    async def plot(tower: Watchtower) -> None:
        tower.watch(host("core"), host("switch", "core"), *(host(name, "switch") for name in names(20)))
        await asyncio.sleep(30)
        tower.cut(*names(20))
        await asyncio.sleep(10)

    tower = watch_over(plot)
    [began] = tower.events(OutageBegan)
    assert (began.extent, began.object_id) == (OutageScope.HOST, "switch")
    assert len(tower.events(HostDown)) == 20
    assert tower.events(HostUnreachable) == []


@pytest.mark.parametrize("count", [10, 20], ids=["ten", "a-fifth"])
def test_few_hosts_are_no_outage(count):
    async def plot(tower: Watchtower) -> None:
        tower.watch(*(host(name) for name in names(100)))
        await asyncio.sleep(30)
        tower.cut(*names(count))
        await asyncio.sleep(10)

    tower = watch_over(plot)
    assert tower.events(OutageBegan) == []
    assert {down.outage_id for down in tower.events(HostDown)} == {None}
    assert len(tower.events(HostDown)) == count


@pytest.mark.parametrize("lasts_s", [0.2, 0.5, 0.8])
def test_second_of_congestion_tells_nothing_at_all(lasts_s):
    async def plot(tower: Watchtower) -> None:
        tower.watch(host("gate"), *(host(name, "gate") for name in names(200)))
        await asyncio.sleep(30)
        for _ in range(10):
            tower.cut("gate", *names(200))
            await asyncio.sleep(lasts_s)
            tower.restore("gate", *names(200))
            await asyncio.sleep(6.37)

    assert watch_over(plot).teller.told == []


def test_late_members_of_a_slow_policy_join():
    async def plot(tower: Watchtower) -> None:
        tower.watch(*(host(name) for name in names(30)), *(host(f"slow-{n}", policy="standard") for n in range(10)))
        await asyncio.sleep(60)
        tower.cut(*names(30), *(f"slow-{n}" for n in range(10)))
        await asyncio.sleep(40)

    tower = watch_over(plot)
    [began] = tower.events(OutageBegan)
    assert len(tower.events(HostDown)) == 40
    assert {down.outage_id for down in tower.events(HostDown)} == {began.outage_id}


def test_outage_goes_on_after_a_restart_and_ends_once():
    async def plot(tower: Watchtower) -> None:
        tower.watch(*(host(name) for name in names(30)))
        await asyncio.sleep(30)
        tower.cut(*names(30))
        await asyncio.sleep(20)
        records = tower.records()
        [began] = tower.events(OutageBegan)
        for name in names(30):
            tower.patrol.drop(name)  # type: ignore[arg-type]
        [ended] = tower.events(OutageEnded)
        tower.teller.told.remove(ended)
        for name in names(30):
            tower.watch(host(name), state=records[name].host_state())
        tower.patrol.court.go_on(began, set(records))  # type: ignore[arg-type]
        assert tower.events(OutageEnded) == []
        tower.restore(*names(30))
        await asyncio.sleep(20)

    tower = watch_over(plot)
    assert len(tower.events(OutageBegan)) == len(tower.events(OutageEnded)) == 1


# ── blind ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_blind_poller_says_so_once_and_changes_no_state():
    async def plot(tower: Watchtower) -> None:
        tower.watch(*(host(name) for name in names(30)), host("dead"))
        await asyncio.sleep(30)
        tower.cut("dead")
        await asyncio.sleep(30.2)
        everything = {*tower.network.cut, *SENTINELS}
        tower.cut(*names(30))
        tower.network.cut |= everything
        await asyncio.sleep(600)
        tower.network.cut.clear()
        tower.cut("dead")
        await asyncio.sleep(60)

    tower = watch_over(plot, sentinels=SENTINELS)
    assert [event.host_id for event in tower.events(HostTransition)] == ["dead"]
    assert tower.events(OutageBegan) == []
    [blind] = tower.events(PollerBlind)
    [sighted] = tower.events(PollerSighted)
    assert blind.sentinels == SENTINELS
    assert sighted.blind_since == blind.since
    assert (blind.since - EPOCH).total_seconds() == pytest.approx(60, abs=1)
    assert tower.at(blind) - 60 < 4


def test_one_sentinel_that_answers_is_enough_to_see():
    async def plot(tower: Watchtower) -> None:
        tower.watch(host("ap"))
        await asyncio.sleep(30)
        tower.network.cut.add(SENTINELS[0])
        await asyncio.sleep(30)

    assert watch_over(plot, sentinels=SENTINELS).teller.told == []


def test_poller_that_was_restarted_while_blind_does_not_say_it_again():
    since = EPOCH - timedelta(minutes=3)
    known = PollerRecord(order=1, seen_at=since, blind_since=since)

    async def plot(tower: Watchtower) -> None:
        tower.network.cut |= set(SENTINELS)
        await asyncio.sleep(30)
        assert tower.teller.told == []
        tower.network.cut.clear()
        await asyncio.sleep(5)

    [sighted] = watch_over(plot, sentinels=SENTINELS, known=known).events(PollerSighted)
    assert sighted.blind_since == since
