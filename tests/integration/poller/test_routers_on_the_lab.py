"""What routers say of themselves, end to end: something happens on a virtual router, and the bus carries it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import pytest

from deploy.local.nats_server import NatsServer
from lab.routers import Personality, VirtualRouter
from lab.routers.behaviour import neighbors, system
from lab.routers.behaviour.counters import run_traffic
from lab.routers.behaviour.interfaces import add_ethernet, set_link
from services.poller.main import build
from services.poller.settings import PollerSettings
from shared.bus.nats import NatsBus
from shared.bus.ports import Bucket
from shared.contracts.events import (
    Event,
    InterfaceDown,
    InterfaceUp,
    LeaseBound,
    LeaseReleased,
    NeighborSeen,
    RouterReachable,
    RouterRebooted,
    RouterRelieved,
    RouterStressed,
    RouterUpgraded,
)
from shared.contracts.ids import RouterId, SiteId
from shared.contracts.inventory import Router, RouterLimits
from shared.contracts.samples import RouterReadings
from shared.contracts.streams import EVENTS, INVENTORY_BUCKET
from shared.lifecycle import running
from shared.security.sealing import ROUTER_PASSWORD, KeyRing, generate_key
from tests.support.waiting import until

KEYS = generate_key()
PASSWORD = "rahasia"
PHONE = "A4:5E:60:11:22:33"
BOARDS = pytest.mark.parametrize("version", ["6.49.18", "7.16.2", "7.20.8"])
E = TypeVar("E", bound=Event)


def furnished(version: str, name: str = "waru-gw") -> VirtualRouter:
    """A RouterBOARD with ports, a pool and a DHCP server, on for a day."""
    router = VirtualRouter(Personality(version, board="RB5009UG+S+"), name, password=PASSWORD)
    for number in (1, 2, 3):
        add_ethernet(router, f"ether{number}", f"48:8F:5A:00:00:0{number}")
    router.menu("/ip/pool").add(name="pppoe", ranges="10.20.0.10-10.20.0.19")
    router.menu("/ip/dhcp-server").add(name="dhcp-lan", interface="ether2", disabled="no")
    router.leases.bind("dhcp-lan", "A4:5E:60:00:00:01", "10.5.0.2", "pc-1")
    neighbors.appear(router, "DC:2C:6E:00:00:01", identity="ap-1")
    router.booted_at -= 86_400
    return router


@dataclass
class Scene:
    """A virtual router that the inventory knows, and what the bus tells of it."""

    url: str
    router: VirtualRouter
    bus: NatsBus
    inventory: Bucket
    events: list[Event] = field(default_factory=list)
    values: dict[tuple[str, str], float] = field(default_factory=dict)

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    async def one(self, kind: type[E], number: int = 1) -> E:
        """The event of this kind that comes `number`th; nothing else of it has come by then."""
        found = await until(lambda: len(self.of(kind)) >= number and self.of(kind))
        assert len(found) == number
        return found[-1]

    async def register(self, **changes: object) -> None:
        entry = Router(
            id=RouterId("01r0ut"),
            site_id=SiteId("waru"),
            name="waru-gw",
            host="127.0.0.1",
            port=self.router.port,
            username="admin",
            sealed_password=KeyRing.parse(KEYS).seal(PASSWORD, purpose=ROUTER_PASSWORD),
        ).model_copy(update=changes)
        await self.inventory.put(entry.key(), entry.model_dump_json().encode())

    @asynccontextmanager
    async def poller(self, interval_s: float = 0.1) -> AsyncIterator[None]:
        settings = PollerSettings(nats_url=self.url, seal_keys=KEYS, poller_router_interval_s=interval_s)
        async with build(settings) as service, running(service):
            yield

    async def looked_at(self) -> None:
        """Everything has been read at least once: from now on differences are news."""
        expected = {"cpu_percent", "rx_bps", "pool_used", "clock_drift_s", "temperature_c"}
        await until(lambda: self.of(RouterReachable) and expected <= {metric for metric, _ in self.values})
        heard = self.router.server.heard
        await until(lambda: heard["/ip/neighbor/print"] and heard["/ip/dhcp-server/lease/print"])

    async def listen(self) -> None:
        async for received in self.bus.read(EVENTS, after_sequence=0):
            if received is not None:
                self.events.append(received.message)

    async def hear(self, sample: RouterReadings, *_: object) -> None:
        self.values.update({(reading.metric, reading.part): reading.value for reading in sample.readings})


@pytest.fixture
async def scene(nats_url: str, shared_nats_server: NatsServer) -> AsyncIterator[Callable[..., object]]:
    @asynccontextmanager
    async def open_scene(version: str = "7.16.2") -> AsyncIterator[Scene]:
        async with furnished(version) as router, NatsBus.connect(nats_url, name="desk", source="desk") as bus:
            here = Scene(shared_nats_server.url("poller"), router, bus, await bus.bucket(INVENTORY_BUCKET))
            listening = [
                asyncio.create_task(here.listen()),
                asyncio.create_task(bus.hear([RouterReadings], here.hear, queue="test")),
            ]
            await here.register()
            yield here
            for task in listening:
                task.cancel()
            await asyncio.gather(*listening, return_exceptions=True)

    return open_scene


@BOARDS
async def test_what_happens_on_a_router_is_told_as_it_happens(scene, version):
    """Links, leases, neighbours, readings: one connection, both lines."""
    async with scene(version) as here, here.poller():
        router = here.router
        await here.looked_at()
        set_link(router, "ether3", up=False)
        down = await here.one(InterfaceDown)
        set_link(router, "ether3", up=True)
        up = await here.one(InterfaceUp)
        assert (down.interface, up.down_since, up.inferred) == ("ether3", down.at, False)
        assert up.change == down.change + 1

        router.leases.bind("dhcp-lan", PHONE, "10.5.0.17", "Galaxy-A14")
        bound = await here.one(LeaseBound)
        router.leases.release(PHONE)
        released = await here.one(LeaseReleased)
        assert (bound.address, bound.mac, bound.host_name, bound.server) == (
            "10.5.0.17",
            PHONE,
            "Galaxy-A14",
            "dhcp-lan",
        )
        assert (released.address, released.inferred) == ("10.5.0.17", False)

        neighbors.appear(router, "DC:2C:6E:00:00:99", interface="ether2", address="10.0.0.99", identity="asing")
        seen = await here.one(NeighborSeen)
        assert (seen.mac, seen.interface, seen.address, seen.identity) == (
            "DC:2C:6E:00:00:99",
            "ether2",
            "10.0.0.99",
            "asing",
        )
        router.pools.take("pppoe", "PPP", "budi")
        run_traffic(router, "ether1", 40.0, 8.0)
        router.vitals.sense("temperature", "63")
        await until(lambda: here.values.get(("temperature_c", "temperature")) == 63)
        await until(lambda: here.values.get(("pool_percent", "pppoe")) == 10.0)
        await until(lambda: 35e6 < here.values.get(("rx_bps", "ether1"), 0) < 45e6)
        assert here.values["clock_drift_s", ""] == 0.0
        assert here.values["uptime_s", ""] >= 86_400
    assert router.server.logins == 1


@pytest.mark.parametrize("version", ["6.49.18", "7.16.2"])
async def test_router_under_stress_is_told_once_and_so_is_its_relief_across_a_restart_of_the_poller(scene, version):
    async with scene(version) as here:
        await here.register(limits=RouterLimits(clock_drift_s=60.0))
        async with here.poller():
            await here.looked_at()
            here.router.vitals.strain(cpu=97)
            stressed = await here.one(RouterStressed)
        assert (stressed.resource, stressed.value, stressed.limit, stressed.unit) == ("cpu", 97, 90, "%")
        here.values.clear()
        async with here.poller():
            await here.looked_at()
            here.router.vitals.strain(cpu=10)
            relieved = await here.one(RouterRelieved)
            here.router.clock_offset_s = -300.0
            wrong = await here.one(RouterStressed, 2)
    assert (relieved.resource, relieved.stressed_since) == ("cpu", stressed.since)
    assert wrong.resource == "clock"
    assert wrong.value == pytest.approx(-300, abs=2)


async def test_restart_and_upgrade_are_told_after_the_router_is_back(scene):
    async with scene() as here, here.poller():
        await here.looked_at()
        await here.router.reboot(proper=False)
        rebooted = await here.one(RouterRebooted)
        await until(lambda: here.router.server.logins == 2)
        here.router.booted_at -= 600
        await system.upgrade(here.router, "7.20.8")
        upgraded = await here.one(RouterUpgraded)
    assert rebooted.words == "router was rebooted without proper shutdown"
    assert rebooted.uptime_before_s >= 86_400
    assert (upgraded.version_before, upgraded.version) == ("7.16.2", "7.20.8")


async def test_many_looks_are_one_login_and_one_line_in_the_routers_log(scene):
    """A hundred rounds, as many as 50 minutes hold, on one connection: what was asked, and how often."""
    async with scene() as here, here.poller(interval_s=0.05):
        heard = here.router.server.heard
        await until(lambda: heard["/system/resource/print"] > 100, within_s=30)
        lines = [row["message"] for row in here.router.menu("/log").rows() if " via api" in row["message"]]
        rounds = heard["/system/resource/print"]
        assert len(lines) == here.router.server.logins == 1
        assert heard["/system/health/print"] + heard["/system/clock/print"] <= 2 * rounds + 2
        assert heard["/interface/print"] <= rounds + 5
        assert heard["/ip/pool/print"] + heard["/ip/neighbor/print"] <= rounds + 5
        assert heard["/ip/dhcp-server/lease/print"] == heard["/ip/dhcp-server/lease/listen"] == 1
        assert heard["/interface/listen"] == 1
