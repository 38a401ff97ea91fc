"""What hangs on what: stories of parents and children in virtual time."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from services.poller.core.judge import State
from services.poller.core.landscape import parents_needed
from shared.contracts.events import HostDown, HostUnreachable, HostUp, OutageBegan
from shared.contracts.ids import HostId
from shared.contracts.inventory import PROBE_POLICIES
from shared.contracts.vocabulary import HostState
from tests.fakes.watchtower import Watchtower, address_of, host, watch_over


def test_child_behind_a_fallen_parent_is_unreachable_and_no_alarm():
    async def plot(tower: Watchtower) -> None:
        tower.watch(host("gate"), host("ap", "gate"))
        await asyncio.sleep(30)
        tower.cut("gate", "ap")
        await asyncio.sleep(10)

    tower = watch_over(plot)
    [down] = tower.events(HostDown)
    [behind] = tower.events(HostUnreachable)
    assert (down.host_id, behind.host_id, behind.behind) == ("gate", "ap", ("gate",))
    assert tower.state("ap") is HostState.UNREACHABLE


@pytest.mark.parametrize("policy", ["infra", "standard", "edge"])
def test_trap_3_child_is_never_judged_before_its_parent_was_asked(policy):
    """The parent's own round is far away: the child's first loss asks it at once."""

    async def plot(tower: Watchtower) -> None:
        tower.watch(host("gate", policy=policy), host("ap", "gate"))
        await asyncio.sleep(200)
        tower.cut("gate", "ap")
        cut_at = asyncio.get_running_loop().time()
        asked = len(tower.network.asked_at)
        await asyncio.sleep(1.3)
        parents = [at for at, address in tower.network.asked_at[asked:] if address == address_of("gate")]
        assert parents, "the parent was not asked at once"
        assert parents[0] - cut_at < 1.3
        await asyncio.sleep(240)

    tower = watch_over(plot)
    last = [event for event in tower.teller.told if getattr(event, "host_id", "") == "ap"][-1]
    assert isinstance(last, HostUnreachable), "whatever was told first, the parent explains it in the end"
    if policy == "infra":
        assert tower.events(HostDown, "ap") == []


def test_child_alone_is_down_with_its_parents_verified_in_policy_time():
    async def plot(tower: Watchtower) -> None:
        tower.watch(host("gate", policy="edge"), host("ap", "gate"))
        await asyncio.sleep(120)
        tower.cut("ap")
        await asyncio.sleep(10)

    tower = watch_over(plot)
    [down] = tower.events(HostDown)
    assert (down.host_id, down.parents_verified, down.parents_down) == ("ap", True, ())
    assert tower.at(down) - 120 < 3.5


def test_child_decides_at_the_end_of_the_hold_without_its_parent():
    """A parent that is asked by a slow policy is still being confirmed when the hold is over."""

    async def plot(tower: Watchtower) -> None:
        tower.watch(host("gate", policy="edge"), host("ap", "gate"))
        await asyncio.sleep(120)
        tower.cut("gate", "ap")
        await asyncio.sleep(8)

    tower = watch_over(plot)
    [down] = tower.events(HostDown)
    assert (down.host_id, down.parents_verified) == ("ap", False)
    assert tower.at(down) - 120 < 3.5 + PROBE_POLICIES["infra"].hold_s


def test_parent_that_falls_within_a_minute_takes_the_child_with_it():
    async def plot(tower: Watchtower) -> None:
        tower.watch(host("gate"), host("ap", "gate"))
        await asyncio.sleep(30)
        tower.cut("ap")
        await asyncio.sleep(40)
        tower.cut("gate")
        await asyncio.sleep(10)

    tower = watch_over(plot)
    [down] = tower.events(HostDown, "ap")
    [behind] = tower.events(HostUnreachable, "ap")
    assert (behind.previous, behind.since, behind.behind) == (HostState.DOWN, down.since, ("gate",))


def test_parent_that_falls_later_leaves_the_childs_own_alarm_alone():
    async def plot(tower: Watchtower) -> None:
        tower.watch(host("gate"), host("ap", "gate"))
        await asyncio.sleep(30)
        tower.cut("ap")
        await asyncio.sleep(70)
        tower.cut("gate")
        await asyncio.sleep(10)

    tower = watch_over(plot)
    assert tower.events(HostUnreachable) == []
    assert tower.alarms() == [("down", "ap"), ("down", "gate")]


@pytest.mark.parametrize("policy", ["infra", "standard", "edge"])
def test_trap_4_child_that_stays_dead_is_told_after_its_parent_is_back(policy):
    async def plot(tower: Watchtower) -> None:
        tower.watch(host("gate"), host("ap", "gate", policy=policy))
        await asyncio.sleep(200)
        tower.cut("gate", "ap")
        await asyncio.sleep(300)
        tower.restore("gate")
        await asyncio.sleep(120 + 80)

    tower = watch_over(plot)
    [behind] = tower.events(HostUnreachable, "ap")
    [down] = tower.events(HostDown, "ap")
    [back] = tower.events(HostUp, "gate")
    assert (down.previous, down.since) == (HostState.UNREACHABLE, behind.since)
    worst_s = {"infra": 6, "standard": 35, "edge": 60 + 60 + 20}[policy]
    assert 0 < tower.at(down) - tower.at(back) < worst_s


def test_child_that_comes_back_with_its_parent_is_told_up_and_never_down():
    async def plot(tower: Watchtower) -> None:
        tower.watch(host("gate"), host("ap", "gate"))
        await asyncio.sleep(30)
        tower.cut("gate", "ap")
        await asyncio.sleep(60)
        tower.restore("gate")
        await asyncio.sleep(1.5)  # it needs a moment longer to boot
        tower.restore("ap")
        await asyncio.sleep(30)

    tower = watch_over(plot)
    assert tower.events(HostDown, "ap") == []
    [up] = tower.events(HostUp, "ap")
    assert up.previous is HostState.UNREACHABLE
    assert up.outage_s == pytest.approx(61.5, abs=2)


def test_redundant_parents_must_all_fall():
    async def plot(tower: Watchtower) -> None:
        tower.watch(host("left"), host("right"), host("ap", ("left", "right")))
        await asyncio.sleep(30)
        tower.cut("left", "ap")
        await asyncio.sleep(10)
        assert [down.host_id for down in tower.events(HostDown)] in (["left", "ap"], ["ap", "left"])
        tower.restore("left", "ap")
        await asyncio.sleep(10)
        tower.cut("left", "right", "ap")
        await asyncio.sleep(10)

    tower = watch_over(plot)
    [behind] = tower.events(HostUnreachable, "ap")
    assert set(behind.behind) == {"left", "right"}


def test_one_fallen_group_is_enough():
    async def plot(tower: Watchtower) -> None:
        tower.watch(host("power"), host("uplink"), host("ap", "power", "uplink"))
        await asyncio.sleep(30)
        tower.cut("power", "ap")
        await asyncio.sleep(10)

    assert watch_over(plot).events(HostUnreachable, "ap")


def test_chain_names_the_host_that_fell_itself():
    async def plot(tower: Watchtower) -> None:
        tower.watch(host("core"), host("gate", "core"), host("ap", "gate"), host("cpe", "ap"))
        await asyncio.sleep(30)
        tower.cut("core", "gate", "ap", "cpe")
        await asyncio.sleep(10)

    tower = watch_over(plot)
    assert tower.alarms() == [("down", "core")]
    assert {event.host_id: event.behind for event in tower.events(HostUnreachable)} == dict.fromkeys(
        ("gate", "ap", "cpe"), ("core",)
    )


def test_what_is_left_of_a_chain_hangs_behind_the_next_that_is_down():
    async def plot(tower: Watchtower) -> None:
        tower.watch(host("core"), host("gate", "core"), host("ap", "gate"))
        await asyncio.sleep(30)
        tower.cut("core", "gate", "ap")
        await asyncio.sleep(60)
        tower.restore("core")
        await asyncio.sleep(30)

    tower = watch_over(plot)
    assert tower.alarms() == [("down", "core"), ("up", "core"), ("down", "gate")]
    assert [event.behind for event in tower.events(HostUnreachable, "ap")] == [("core",), ("gate",)]


def test_parents_in_a_circle_do_not_hang_and_one_is_told():
    async def plot(tower: Watchtower) -> None:
        tower.watch(host("a", "b"), host("b", "a"), host("self", "self"))
        await asyncio.sleep(30)
        tower.cut("a", "b", "self")
        await asyncio.sleep(20)

    tower = watch_over(plot)
    downs = {down.host_id for down in tower.events(HostDown)}
    assert "self" in downs
    assert downs & {"a", "b"}
    assert {tower.state(name) for name in ("a", "b")} <= {HostState.DOWN, HostState.UNREACHABLE}


def test_parents_that_nobody_watches_neither_hold_nor_hide():
    async def plot(tower: Watchtower) -> None:
        tower.watch(host("ap", "gone"))
        await asyncio.sleep(30)
        tower.cut("ap")
        await asyncio.sleep(5)

    tower = watch_over(plot)
    [down] = tower.events(HostDown)
    assert tower.at(down) - 30 < 3.5


def test_child_of_a_parent_that_is_removed_gets_its_own_alarm():
    async def plot(tower: Watchtower) -> None:
        tower.watch(host("gate"), host("ap", "gate"))
        await asyncio.sleep(30)
        tower.cut("gate", "ap")
        await asyncio.sleep(10)
        tower.patrol.drop(HostId("gate"))
        await asyncio.sleep(10)

    assert watch_over(plot).alarms() == [("down", "gate"), ("down", "ap")]


def test_parent_of_another_poller_is_judged_in_silence():
    async def plot(tower: Watchtower) -> None:
        tower.watch(host("gate"), state=State(), tells=False)
        tower.watch(host("ap", "gate"))
        await asyncio.sleep(30)
        tower.cut("gate", "ap")
        await asyncio.sleep(10)

    tower = watch_over(plot)
    assert [type(event) for event in tower.teller.told] == [HostUnreachable]
    assert "gate" not in tower.records()


def test_silent_parent_that_becomes_ours_goes_on_from_what_was_told():
    async def plot(tower: Watchtower) -> None:
        tower.watch(host("gate"), state=State(), tells=False)
        await asyncio.sleep(30)
        tower.cut("gate")
        await asyncio.sleep(10)
        tower.watch(host("gate"), state=State(HostState.UP, 41))
        await asyncio.sleep(10)

    [down] = watch_over(plot).events(HostDown)
    assert (down.host_id, down.transition) == ("gate", 42)


def test_parents_needed_go_all_the_way_up_and_leave_out_ones_own():
    hosts = {
        each.id: each
        for each in (
            host("core"),
            host("gate", "core"),
            host("off", enabled=False),
            host("ap", "gate", "off", "nobody"),
            host("ap-2", "ap"),
            host("a", "b"),
            host("b", "a"),
        )
    }
    mine = {HostId("ap"), HostId("ap-2"), HostId("a")}
    assert parents_needed(mine, hosts).keys() == {"gate", "core", "b"}


# ── many ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_thousand_hosts_behind_one_parent_are_one_alarm_within_the_budget():
    async def plot(tower: Watchtower) -> None:
        tower.watch(host("gate"), *(host(f"ap-{number}", "gate") for number in range(1000)))
        await asyncio.sleep(40)
        before = tower.patrol.asked_total
        await asyncio.sleep(10)
        regular = (tower.patrol.asked_total - before) / 10
        tower.cut("gate", *(f"ap-{number}" for number in range(1000)))
        asked = [tower.patrol.asked_total]
        for _ in range(20):
            await asyncio.sleep(1)
            asked.append(tower.patrol.asked_total)
        rates = [after - before for before, after in itertools.pairwise(asked)]
        assert max(rates) <= regular + tower.patrol.budget.per_s + 20

    tower = watch_over(plot)
    [down] = tower.events(HostDown)
    assert (down.host_id, tower.at(down) - 50 < 3.0) == ("gate", True)
    unreachable = tower.events(HostUnreachable)
    assert len({event.host_id for event in unreachable}) == len(unreachable) == 1000
    [outage] = tower.events(OutageBegan)
    assert (outage.extent, outage.object_id) == ("host", "gate")
    assert {event.outage_id for event in (down, *unreachable)} == {outage.outage_id}


def test_dead_hosts_behind_a_living_parent_are_told_one_by_one_in_time():
    """Twelve access points lose their power; the switch does not. The bursts wait for the switch, not for ever."""

    async def plot(tower: Watchtower) -> None:
        tower.watch(host("switch"), *(host(f"ap-{number}", "switch") for number in range(100)))
        await asyncio.sleep(40)
        tower.cut(*(f"ap-{number}" for number in range(12)))
        await asyncio.sleep(10)

    tower = watch_over(plot)
    downs = tower.events(HostDown)
    assert len(downs) == 12
    assert max(tower.at(down) for down in downs) - 40 < 3.5
    assert all(down.parents_verified for down in downs)
