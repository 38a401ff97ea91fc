"""A router that moves from one poller to another, and back: nothing is told twice, nothing is forgotten."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from shared.contracts.events import (
    InterfaceDown,
    NeighborSeen,
    RouterReachable,
    RouterRebooted,
    RouterRelieved,
    RouterStressed,
    RouterUnreachable,
    SessionClosed,
    SessionOpened,
)
from shared.contracts.ids import RouterId
from shared.contracts.inventory import Router
from shared.contracts.live import TraceTarget
from shared.security.sealing import ROUTER_PASSWORD, KeyRing
from tests.fakes.router_session import FakeRouter
from tests.support.crew import KEYS, LERENG, Crew, Poller, together

ADDRESS = "10.9.9.1"
ENTRY = Router(
    id=RouterId("01r0ut"),
    site_id=LERENG.id,
    name="lereng-gw",
    host=ADDRESS,
    username="ronda",
    sealed_password=KeyRing.parse(KEYS).seal("rahasia", purpose=ROUTER_PASSWORD),
)
AP = {"interface": "ether3", "mac-address": "DC:2C:6E:00:00:01", "address": "10.0.0.9", "identity": "ap-1"}
OTHER_AP = {**AP, "mac-address": "DC:2C:6E:00:00:02", "identity": "ap-2"}
THIRD_AP = {**AP, "mac-address": "DC:2C:6E:00:00:03", "identity": "ap-3"}
TAKEN_OVER_S = 8.0
LOOKED_S = 200.0  # each look had several turns


def login(account: str) -> dict[str, str]:
    return {"user": account, "address": f"10.5.0.{len(account)}", "mac-address": f"A4:5E:60:11:22:{len(account):02}"}


class BusyRouter(FakeRouter):
    """Subscribers on line, a link that is down, a neighbour, and a processor at its limit."""

    def __init__(self) -> None:
        super().__init__()
        self.menu("/ip/neighbor")
        self.put("/ip/neighbor", AP)
        self.rows_of = {name: self.put("/ip/hotspot/active", login(name)) for name in ("budi", "siti2")}
        self.rows_of["dial-joko"] = self.put("/ppp/active", {"name": "dial-joko", "address": "10.6.0.9"})
        self.port = self.put("/interface", {"name": "ether3", "type": "ether", "running": "true", "disabled": "false"})
        self.load("97")

    def load(self, percent: str) -> None:
        row = self.menus["/system/resource"].rows[""]
        row |= {"cpu-load": percent, "free-memory": "268435456", "total-memory": "1073741824"}

    def cut_link(self) -> None:
        self.put("/interface", {**self.menus["/interface"].rows[self.port], "running": "false"})

    async def age(self) -> None:
        """Its uptime runs as the clock does, for ever."""
        clock = asyncio.get_running_loop().time
        while True:
            self.menus["/system/resource"].rows[""]["uptime"] = f"{864000 + int(clock())}s"
            await asyncio.sleep(0.5)


async def told(crew: Crew) -> Counter[str]:
    """How often what was told, of whom."""
    of = {
        SessionOpened: "account",
        SessionClosed: "account",
        NeighborSeen: "mac",
        InterfaceDown: "interface",
        RouterStressed: "resource",
        RouterRelieved: "resource",
        RouterReachable: "router_id",
        RouterUnreachable: "router_id",
        RouterRebooted: "router_id",
    }
    return Counter(
        f"{event.NAME} {getattr(event, of[type(event)])}" for event in await crew.events() if type(event) in of
    )


AT_FIRST = Counter(
    [
        "router.reachable 01r0ut",
        "session.opened budi",
        "session.opened siti2",
        "session.opened dial-joko",
        "router.stressed cpu",
        "router.interface_down ether3",
        "router.neighbor_seen DC:2C:6E:00:00:02",
    ]
)


async def settled(crew: Crew) -> tuple[BusyRouter, Poller]:
    """A poller that has told everything that there is of a router."""
    [first] = crew.pollers
    router = crew.routers[ADDRESS] = BusyRouter()
    crew.aging = asyncio.create_task(router.age())
    await crew.put(ENTRY)
    await asyncio.sleep(LOOKED_S)
    router.put("/ip/neighbor", OTHER_AP)
    router.cut_link()
    await asyncio.sleep(LOOKED_S)
    assert await told(crew) == AT_FIRST
    assert first.logins == [ADDRESS]
    return router, first


async def move(crew: Crew, giver: Poller, how: str) -> Poller:
    """The next holder of the router, once it has it."""
    heir = crew.start(**({"poller_sites": "lereng"} if how == "is asked for it" else {}))
    await asyncio.sleep(4)
    if how in ("stop", "die"):
        crew.pollers.remove(giver)
        await getattr(giver, how)()
    elif how == "hang":
        giver.bus.way.hang()
    await asyncio.sleep(TAKEN_OVER_S)
    assert heir.logins[-1:] == [ADDRESS]
    return heir


@pytest.mark.parametrize("how", ["stop", "die", "hang", "is asked for it"])
def test_what_has_not_changed_is_not_told_again_by_the_next_poller(how):
    async def story(crew: Crew) -> None:
        _, giver = await settled(crew)
        await move(crew, giver, how)
        await asyncio.sleep(LOOKED_S)
        giver.bus.way.restore()
        await asyncio.sleep(LOOKED_S)
        assert await told(crew) == AT_FIRST
        crew.aging.cancel()

    together(story, hosts=0, pollers=1)


@pytest.mark.parametrize("how", ["stop", "die", "hang", "is asked for it"])
def test_what_changed_between_two_pollers_is_told_by_the_next_one(how):
    async def story(crew: Crew) -> None:
        router, giver = await settled(crew)
        if how == "die":  # nobody looks while these happen
            giver.bus.way.refuse()
        moving = asyncio.create_task(move(crew, giver, how))
        await asyncio.sleep(5)
        router.take("/ip/hotspot/active", router.rows_of["budi"])
        router.put("/ip/hotspot/active", login("tono-baru"))
        router.put("/ip/neighbor", THIRD_AP)
        router.load("12")
        await moving
        await asyncio.sleep(LOOKED_S)
        giver.bus.way.restore()
        await asyncio.sleep(20)
        assert await told(crew) == AT_FIRST + Counter(
            [
                "session.closed budi",
                "session.opened tono-baru",
                "router.neighbor_seen DC:2C:6E:00:00:03",
                "router.relieved cpu",
            ]
        )
        crew.aging.cancel()

    together(story, hosts=0, pollers=1)


def test_poller_that_gets_a_router_back_believes_what_the_other_told_meanwhile():
    """The first one still has all of it in its own memory as it was when it gave the router away."""

    async def story(crew: Crew) -> None:
        router, first = await settled(crew)
        guest = await move(crew, first, "hang")
        router.take("/ip/hotspot/active", router.rows_of["budi"])
        router.put("/ip/hotspot/active", login("tono-baru"))
        router.put("/ip/neighbor", THIRD_AP)
        router.load("12")
        await asyncio.sleep(LOOKED_S)
        meanwhile = AT_FIRST + Counter(
            [
                "session.closed budi",
                "session.opened tono-baru",
                "router.neighbor_seen DC:2C:6E:00:00:03",
                "router.relieved cpu",
            ]
        )
        assert await told(crew) == meanwhile
        first.bus.way.restore()
        await asyncio.sleep(10)
        crew.pollers.remove(guest)
        await guest.stop()
        await asyncio.sleep(LOOKED_S)
        assert first.logins == [ADDRESS, ADDRESS]
        assert await told(crew) == meanwhile
        router.take("/ppp/active", router.rows_of["dial-joko"])
        await asyncio.sleep(5)
        assert await told(crew) == meanwhile + Counter(["session.closed dial-joko"])
        crew.aging.cancel()

    together(story, hosts=0, pollers=1)


def test_way_to_a_host_of_a_far_site_is_traced_by_the_poller_there():
    async def story(crew: Crew) -> None:
        near, far = crew.host(1), crew.host(7, LERENG)
        await crew.put(near, far)
        there = crew.start(poller_sites="lereng")
        await asyncio.sleep(8)
        [here] = crew.pollers[:1]
        for _ in range(4):
            route = await crew.bus.request(TraceTarget(target=far.address, host_id=far.id))
            assert (route.reached, route.hops[-1].address) == (True, far.address)
        assert (here.traced, there.traced) == ([], [far.address] * 4)
        await crew.bus.request(TraceTarget(target=near.address, host_id=near.id))
        assert len(here.traced + there.traced) == 5  # that one either may trace

    together(story, hosts=0, pollers=1)
