"""A virtual router that the poller watches over a real bus, and what was told of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from deploy.local.nats_server import NatsServer
from lab.routers import Personality, VirtualRouter
from lab.routers.behaviour.interfaces import add_ethernet
from services.poller.main import build
from services.poller.settings import PollerSettings
from shared.bus.nats import NatsBus
from shared.bus.ports import Bucket
from shared.clock import SystemClock
from shared.contracts.events import Event, RouterReachable, RouterSaid
from shared.contracts.ids import RouterId, SiteId, new_id
from shared.contracts.inventory import Router
from shared.contracts.streams import EVENTS, INVENTORY_BUCKET
from shared.contracts.vocabulary import Saying
from shared.lifecycle import running
from shared.security.sealing import ROUTER_PASSWORD, KeyRing, generate_key
from tests.support.waiting import until

KEYS = generate_key()
STANDING = {"tetap", "vc0"}  # subscribers who are on line all the time; what is told of them is left out
PASSWORD = "rahasia"
BUDI = {"user": "budi", "password": "budi-pw", "mac": "A4:5E:60:11:22:33"}


def furnished(personality: Personality) -> VirtualRouter:
    """A PPPoE server and a hotspot, with a subscriber each."""
    router = VirtualRouter(personality, "waru-gw", password=PASSWORD)
    add_ethernet(router, "ether1", "48:8F:5A:00:00:01")
    add_ethernet(router, "ether2", "48:8F:5A:00:00:02")
    router.menu("/ip/address").add(address="10.5.0.1/24", interface="ether1")
    if router.ppp is not None:
        router.menu("/ip/pool").add(name="pppoe", ranges="10.20.0.10-10.20.0.250")
        router.menu("/ppp/profile").add(name="10M", local_address="10.20.0.1", remote_address="pppoe")
        router.menu("/interface/pppoe-server/server").add(service_name="isp", interface="ether2", disabled="no")
        for name in ("budi", "tetap"):
            router.menu("/ppp/secret").add(name=name, password=f"{name}-pw", profile="10M", service="pppoe")
    if router.hotspot is not None:
        router.menu("/ip/hotspot").add(name="hs1", interface="ether1", disabled="no")
        for name in ("vc0", "vc1"):
            router.menu("/ip/hotspot/user").add(name=name, password=name)
    return router


@dataclass
class Lab:
    """A virtual router that the inventory knows, and what the bus told of it."""

    url: str
    router: VirtualRouter
    bus: NatsBus
    inventory: Bucket
    events: list[Event] = field(default_factory=list)
    standing: set[str] = field(default_factory=set)

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]

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
    async def poller(self) -> AsyncIterator[None]:
        async with build(PollerSettings(nats_url=self.url, seal_keys=KEYS)) as service, running(service):
            yield

    async def say(self, saying: Saying, **what: object) -> None:
        """What the api publishes when a script of the router has posted something."""
        said = {"at": SystemClock().now(), "said_id": new_id(), "router_id": "01r0ut", "saying": saying, **what}
        await self.bus.publish(RouterSaid.model_validate(said))

    async def listen(self) -> None:
        async for received in self.bus.read(EVENTS, after_sequence=0):
            if received is None:
                continue
            if getattr(received.message, "account", "") in STANDING:
                self.standing.add(received.message.account)
            else:
                self.events.append(received.message)

    async def settle(self) -> None:
        """Subscribers who are on line already, and an inventory that knows the router."""
        if self.router.ppp is not None:
            await self.router.pppoe_dial(user="tetap", password="tetap-pw", mac="A4:5E:60:00:00:01")
        if self.router.hotspot is not None:
            await self.router.hotspot_login(user="vc0", password="vc0", mac="A4:5E:60:00:00:02", ip="10.5.0.9")
        await self.register()

    async def followed(self) -> None:
        """Return once every table of the router has been compared: from then on logins are seen as they happen."""
        tables = (self.router.ppp is not None) + (self.router.hotspot is not None)
        await until(lambda: self.of(RouterReachable) and len(self.standing) == tables)

    async def hotspot_login(self) -> None:
        await self.router.hotspot_login(user="vc1", password="vc1", mac="A4:5E:60:11:22:44", ip="10.5.0.17")


@pytest.fixture
async def lab(nats_url: str, shared_nats_server: NatsServer) -> AsyncIterator[Callable[..., object]]:
    @asynccontextmanager
    async def open_lab(version: str, **personality: object) -> AsyncIterator[Lab]:
        router = furnished(Personality(version, **personality))
        async with router, NatsBus.connect(nats_url, name="desk", source="desk") as bus:
            here = Lab(shared_nats_server.url("poller"), router, bus, await bus.bucket(INVENTORY_BUCKET))
            listening = asyncio.create_task(here.listen())
            await here.settle()
            yield here
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    return open_lab
