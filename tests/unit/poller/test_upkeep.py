"""Announced work: measured on, marked, and looked at anew when it is over."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from services.poller.core.maintenance import covers
from shared.contracts.events import HostDown, HostUp
from shared.contracts.ids import GroupId, HostId, MaintenanceId, RouterId, SiteId
from shared.contracts.inventory import Maintenance
from shared.contracts.vocabulary import HostState
from tests.fakes.virtual_time import EPOCH
from tests.fakes.watchtower import Watchtower, host, watch_over


def work(begin: float, end: float, **more: object) -> Maintenance:
    """Work at Waru between these seconds of the story."""
    more.setdefault("site_ids", frozenset({SiteId("waru")}))
    return Maintenance(
        id=MaintenanceId("m1"),
        title="new mast",
        begins_at=EPOCH + timedelta(seconds=begin),
        ends_at=EPOCH + timedelta(seconds=end),
        **more,  # type: ignore[arg-type]
    )


def test_outage_within_work_is_marked_and_measured():
    async def plot(tower: Watchtower) -> None:
        tower.watch(host("ap"))
        tower.announce(work(30, 300))
        await asyncio.sleep(31)
        assert tower.state("ap") is HostState.MAINTENANCE
        tower.cut("ap")
        await asyncio.sleep(60)
        tower.restore("ap")
        await asyncio.sleep(60)

    tower = watch_over(plot)
    [down], [up] = tower.events(HostDown), tower.events(HostUp)
    assert (down.in_maintenance, up.in_maintenance) == (True, True)
    assert up.outage_s == pytest.approx(60, abs=2)


def test_trap_7_what_is_still_down_at_the_end_is_told_then_with_its_original_time():
    async def plot(tower: Watchtower) -> None:
        tower.watch(host("ap"), host("well"))
        tower.announce(work(30, 300))
        await asyncio.sleep(40)
        tower.cut("ap")
        await asyncio.sleep(300)

    tower = watch_over(plot)
    hidden, told = tower.events(HostDown)
    assert (hidden.in_maintenance, told.in_maintenance) == (True, False)
    assert (told.previous, told.since, told.transition) == (HostState.DOWN, hidden.since, hidden.transition + 1)
    assert 300 < tower.at(told) < 303


def test_trap_7_recovery_within_work_of_what_was_told_before_it_is_told():
    async def plot(tower: Watchtower) -> None:
        tower.watch(host("ap"))
        tower.announce(work(60, 300))
        await asyncio.sleep(30)
        tower.cut("ap")
        await asyncio.sleep(60)
        tower.restore("ap")
        await asyncio.sleep(300)

    tower = watch_over(plot)
    [down], [up] = tower.events(HostDown), tower.events(HostUp)
    assert (down.in_maintenance, up.in_maintenance) == (False, True)


def test_host_that_is_back_at_the_end_is_not_told_down():
    async def plot(tower: Watchtower) -> None:
        tower.watch(host("ap"))
        tower.announce(work(30, 100))
        await asyncio.sleep(40)
        tower.cut("ap")
        await asyncio.sleep(59.9)
        tower.restore("ap")
        await asyncio.sleep(30)

    assert [type(event) for event in watch_over(plot).teller.told] == [HostDown, HostUp]


def test_end_of_work_while_nobody_can_look_is_told_later():
    async def plot(tower: Watchtower) -> None:
        tower.watch(host("ap"))
        tower.announce(work(30, 100))
        await asyncio.sleep(40)
        tower.cut("ap")
        await asyncio.sleep(59.5)
        tower.network.no_way_out = True
        await asyncio.sleep(4)
        tower.network.no_way_out = False
        await asyncio.sleep(10)

    hidden, told = watch_over(plot).events(HostDown)
    assert (told.in_maintenance, told.since) == (False, hidden.since)


def test_every_member_is_asked_at_the_end_at_once():
    async def plot(tower: Watchtower) -> None:
        tower.watch(*(host(f"cpe-{number}", policy="edge") for number in range(30)))
        tower.announce(work(30, 100.5))
        await asyncio.sleep(100)
        before = tower.network.asked.total()
        await asyncio.sleep(1.5)
        assert tower.network.asked.total() - before >= 30

    watch_over(plot)


def test_flexible_work_begins_with_the_first_outage_and_lasts_its_time():
    async def plot(tower: Watchtower) -> None:
        tower.watch(host("ap"), host("ap-2"), host("other", site="rungkut"))
        tower.announce(work(10, 1000, duration_s=60.0))
        await asyncio.sleep(30)
        tower.cut("other")
        await asyncio.sleep(30)
        assert tower.state("ap") is HostState.UP
        tower.cut("ap")
        await asyncio.sleep(10)
        assert tower.state("ap-2") is HostState.MAINTENANCE
        await asyncio.sleep(60)
        assert tower.state("ap-2") is HostState.UP

    tower = watch_over(plot)
    [other] = tower.events(HostDown, "other")
    assert not other.in_maintenance
    hidden, told = tower.events(HostDown, "ap")
    assert (hidden.in_maintenance, told.in_maintenance) == (True, False)
    assert tower.at(told) == pytest.approx(60 + 60, abs=5)


def test_end_of_work_that_was_slept_through_is_made_up_for():
    async def plot(tower: Watchtower) -> None:
        tower.watch(host("ap"))
        tower.announce(work(30, 100))
        await asyncio.sleep(40)
        tower.cut("ap")
        await asyncio.sleep(20)
        record = tower.records()["ap"]
        tower.patrol.drop(HostId("ap"))
        await asyncio.sleep(60)
        tower.watch(host("ap"), state=record.host_state())
        await asyncio.sleep(10)

    hidden, told = watch_over(plot).events(HostDown)
    assert (told.in_maintenance, told.since) == (False, hidden.since)


@pytest.mark.parametrize(
    ("named", "covered"),
    [
        pytest.param({"host_ids": frozenset({HostId("ap")})}, True, id="host"),
        pytest.param({"site_ids": frozenset({SiteId("waru")})}, True, id="site"),
        pytest.param({"group_ids": frozenset({GroupId("aps")})}, True, id="group"),
        pytest.param({"router_ids": frozenset({RouterId("gw")})}, True, id="router-that-pings-it"),
        pytest.param({"host_ids": frozenset({HostId("other")})}, False, id="other-host"),
        pytest.param({}, False, id="nothing-named"),
    ],
)
def test_work_covers_what_it_names(named, covered):
    named = {"site_ids": frozenset(), **named}
    assert covers(work(0, 1, **named), host("ap", group_id="aps", via_router="gw")) is covered


def test_host_without_group_and_router_is_not_covered_by_accident():
    assert not covers(work(0, 1, site_ids=frozenset()), host("ap"))
