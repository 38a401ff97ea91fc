"""Proof of life from elsewhere: whole stories with witnesses that know the truth, and each witness on its own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from services.poller.core.roster import Roster
from services.poller.handlers.witnesses import (
    Line,
    Neighbourhood,
    NetwatchWitness,
    RouterWitness,
    SessionWitness,
    look_for_host,
)
from services.poller.ports import Sighting
from shared.bus.ports import NotHere
from shared.contracts.events import HostDown, HostHeard, HostSilent
from shared.contracts.ids import HostId, RouterId, SiteId
from shared.contracts.inventory import Host, Router
from shared.contracts.queries import LookForHost
from shared.contracts.vocabulary import HostState, ProbeKind, Service, WitnessKind
from tests.fakes.clock import FakeClock
from tests.fakes.network import FakeNetwork
from tests.fakes.router_session import FakeRouter
from tests.fakes.watchtower import Watchtower, address_of, host, watch_over


class Bystander:
    """Sees hosts that live; needs `takes_s` to say so. Evidence is as old as `behind_s`."""

    def __init__(self, alive: set[str], takes_s: float = 0.05, kind: WitnessKind = WitnessKind.SESSION) -> None:
        self.alive, self.takes_s, self.kind = alive, takes_s, kind
        self.asked: list[tuple[str, datetime]] = []

    def knows(self, host: Host) -> bool:
        return True

    async def seen(self, host: Host, since: datetime) -> Sighting | None:
        self.asked.append((host.id, since))
        await asyncio.sleep(self.takes_s)
        return Sighting(self.kind, "gw: budi") if host.id in self.alive else None


class Liar(Bystander):
    async def seen(self, host: Host, since: datetime) -> Sighting | None:
        raise ZeroDivisionError


def test_host_whose_probes_are_blocked_is_silent_once_and_heard_once():
    witness = Bystander({"cpe"})

    async def plot(tower: Watchtower) -> None:
        tower.watch(host("cpe"))
        await asyncio.sleep(30)
        tower.cut("cpe")
        await asyncio.sleep(120)
        assert tower.state("cpe") is HostState.UP
        tower.restore("cpe")
        await asyncio.sleep(10)

    tower = watch_over(plot, witnesses=[witness])
    assert tower.events(HostDown) == []
    [silent], [heard] = tower.events(HostSilent), tower.events(HostHeard)
    assert (silent.witness, silent.seen_by) == (WitnessKind.SESSION, "gw: budi")
    assert heard.silent_since == silent.since
    assert all(since >= silent.since for _, since in witness.asked), "evidence must be newer than the first loss"
    assert len(witness.asked) <= 120 / 10 + 1, "witnesses are not asked in every round"


@pytest.mark.parametrize("takes_s", [0.05, 30.0], ids=["quick", "never-in-time"])
def test_power_cut_is_down_in_policy_time_with_three_witnesses(takes_s):
    witnesses = [Bystander(set(), takes_s), Liar(set()), Bystander(set(), takes_s)]

    async def plot(tower: Watchtower) -> None:
        tower.watch(host("cpe"))
        await asyncio.sleep(30)
        tower.cut("cpe")
        await asyncio.sleep(10)

    tower = watch_over(plot, witnesses=witnesses)
    [down] = tower.events(HostDown)
    assert tower.at(down) - 30 < 3.5
    assert tower.events(HostSilent) == []


def test_silent_host_that_dies_is_down_after_all():
    witness = Bystander({"cpe"})

    async def plot(tower: Watchtower) -> None:
        tower.watch(host("cpe"))
        await asyncio.sleep(30)
        tower.cut("cpe")
        await asyncio.sleep(60)
        witness.alive.clear()
        await asyncio.sleep(20)

    tower = watch_over(plot, witnesses=[witness])
    [silent], [down] = tower.events(HostSilent), tower.events(HostDown)
    assert down.since > silent.since
    assert tower.at(down) - 90 < 15


def test_witnesses_are_not_asked_of_a_crowd_behind_a_fallen_parent():
    witness = Bystander(set())

    async def plot(tower: Watchtower) -> None:
        tower.watch(host("gate"), *(host(f"ap-{number}", "gate") for number in range(100)))
        await asyncio.sleep(30)
        tower.cut("gate", *(f"ap-{number}" for number in range(100)))
        await asyncio.sleep(20)

    tower = watch_over(plot, witnesses=[witness])
    assert [down.host_id for down in tower.events(HostDown)] == ["gate"]
    assert len(witness.asked) < 30


# ── each for itself ─────────────────────────────────────────────────────────────────────────────────────────────────

GATEWAY = Router(
    id=RouterId("gw"), site_id=SiteId("waru"), name="waru-gw", host="10.0.0.1", username="u", sealed_password="s"
)
CPE = host("cpe")
LINE = Line(GATEWAY, Service.HOTSPOT, "1A", "budi")


class Door:
    def __init__(self, router: FakeRouter) -> None:
        self._session = router.session()

    def session(self, router_id: RouterId):
        return self._session if router_id == GATEWAY.id else None


@pytest.fixture
def router() -> Iterator[FakeRouter]:
    return FakeRouter(version="7.20.8 (long-term)")


@pytest.mark.parametrize(
    ("service", "path", "row", "column"),
    [
        pytest.param(Service.HOTSPOT, "/ip/hotspot/active", {"user": "budi"}, "bytes-in", id="hotspot"),
        pytest.param(Service.PPP, "/interface", {"name": "<pppoe-budi>"}, "rx-byte", id="ppp"),
    ],
)
async def test_session_whose_bytes_grow_is_alive(router, service, path, row, column):
    slot = router.put(path, {**row, column: "1000"}).removeprefix("*")
    witness = SessionWitness(Door(router), lambda _: [Line(GATEWAY, service, slot, "budi")])
    assert witness.knows(CPE)
    looking = asyncio.create_task(witness.seen(CPE, FakeClock().now()))
    await asyncio.sleep(0.1)
    assert not looking.done()
    router.menus[path].rows[f"*{slot}"][column] = "1400"
    sighting = await asyncio.wait_for(looking, 5)
    assert sighting == Sighting(WitnessKind.SESSION, "waru-gw: budi")


async def test_session_that_ends_meanwhile_is_no_witness(router):
    slot = router.put("/ip/hotspot/active", {"user": "budi", "bytes-in": "1000"}).removeprefix("*")
    witness = SessionWitness(Door(router), lambda _: [Line(GATEWAY, Service.HOTSPOT, slot, "budi")])
    looking = asyncio.create_task(witness.seen(CPE, FakeClock().now()))
    await asyncio.sleep(0.1)
    router.take("/ip/hotspot/active", f"*{slot}")
    assert await asyncio.wait_for(looking, 5) is None


async def test_netwatch_is_believed_once_it_must_have_looked_since(router):
    address = address_of("cpe")
    row = router.put("/tool/netwatch", {"host": address, "status": "up", "interval": "1s", "timeout": "500ms"})
    clock = FakeClock()
    witness = NetwatchWitness(Door(router), lambda _: [GATEWAY], clock)
    assert await witness.seen(CPE, clock.now() - timedelta(seconds=2)) == Sighting(WitnessKind.NETWATCH, "waru-gw")
    looking = asyncio.create_task(witness.seen(CPE, clock.now() - timedelta(seconds=1.2)))
    await asyncio.sleep(0.1)
    router.menus["/tool/netwatch"].rows[row]["status"] = "down"
    assert await asyncio.wait_for(looking, 5) is None


async def test_netwatch_that_says_down_is_no_witness(router):
    router.put("/tool/netwatch", {"host": address_of("cpe"), "status": "down", "interval": "1s"})
    witness = NetwatchWitness(Door(router), lambda _: [GATEWAY], FakeClock())
    assert await witness.seen(CPE, FakeClock().now() - timedelta(minutes=5)) is None


async def test_ping_from_the_router_is_a_witness_if_one_came_back(router):
    rows = [{"seq": "0", "host": "x", "status": "timeout"}, {"seq": "1", "host": "x", "time": "2ms"}]
    router.commands["/ping"] = lambda _: (rows, None)
    witness = RouterWitness(Door(router), lambda _: [GATEWAY])
    assert await witness.seen(CPE, FakeClock().now()) == Sighting(WitnessKind.ROUTER, "waru-gw")
    router.commands["/ping"] = lambda _: (rows[:1], None)
    assert await witness.seen(CPE, FakeClock().now()) is None


async def test_other_poller_answers_only_if_it_sees_life():
    network = FakeNetwork()
    query = LookForHost(asker="poller-1", address="10.1.1.1")
    seen = await look_for_host(query, instance="poller-2", probes={ProbeKind.ICMP: network})
    assert seen.instance == "poller-2"
    network.cut.add("10.1.1.1")
    with pytest.raises(NotHere):
        await look_for_host(query, instance="poller-2", probes={ProbeKind.ICMP: network})


async def test_poller_does_not_testify_for_itself():
    with pytest.raises(NotHere):
        await look_for_host(
            LookForHost(asker="poller-1", address="10.1.1.1"),
            instance="poller-1",
            probes={ProbeKind.ICMP: FakeNetwork()},
        )


def test_routers_that_may_know_a_host_are_near_it_and_not_itself():
    other = GATEWAY.model_copy(update={"id": RouterId("far"), "site_id": SiteId("far"), "host": "10.9.0.1"})
    parent = Host(id=HostId("p"), site_id=SiteId("waru"), name="p", address="10.9.0.1")
    roster = Roster(routers={GATEWAY.id: GATEWAY, other.id: other}, hosts={parent.id: parent})
    near = Neighbourhood(roster)
    assert near.of(host("cpe")) == (GATEWAY,)
    assert near.of(host("cpe", "p")) == (other, GATEWAY)
    assert near.of(host("cpe", via_router="far")) == (other,)
    assert near.of(Host(id=HostId("h"), site_id=SiteId("waru"), name="h", address="10.0.0.1")) == ()
