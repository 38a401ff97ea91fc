"""The provisioner between a real NATS server and the lab's routers, and the other side of the bus for tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from lab.routers import Personality, VirtualRouter
from lab.routers.behaviour.interfaces import add_ethernet
from services.provisioner.main import build
from services.provisioner.settings import ProvisionerSettings
from shared.bus.nats import NatsBus
from shared.bus.ports import Bucket
from shared.contracts.desired import DesiredAccount
from shared.contracts.events import AccountApplied, AccountEvent, AccountFailed
from shared.contracts.ids import AccountId, RouterId, SiteId
from shared.contracts.inventory import Router
from shared.contracts.streams import EVENTS, INVENTORY_BUCKET
from shared.contracts.vocabulary import AccountStatus, Service
from shared.lifecycle import running
from shared.security.sealing import ACCOUNT_PASSWORD, ROUTER_PASSWORD, KeyRing, generate_key
from tests.support.waiting import until

KEYS = generate_key()
RING = KeyRing.parse(KEYS)
USER, PASSWORD = "ronda", "s3kret"
FIRST = "rahasia"
"""The password of an account unless a test says otherwise."""
VERSIONS = ("6.49.18", "7.16.2", "7.21")
MENU = {Service.PPP: "/ppp/secret", Service.HOTSPOT: "/ip/hotspot/user"}
PROFILES = {Service.PPP: "/ppp/profile", Service.HOTSPOT: "/ip/hotspot/user/profile"}


def seal(password: str) -> str:
    return RING.seal(password, purpose=ACCOUNT_PASSWORD)


@dataclass
class Desk:
    """Who writes the inventory and the wishes, and reads what became of them."""

    bus: NatsBus
    inventory: Bucket
    events: list[AccountEvent] = field(default_factory=list)
    generations: dict[str, int] = field(default_factory=dict)

    async def register(self, router: VirtualRouter, **fields: object) -> Router:
        known = Router(
            **{  # type: ignore[arg-type]
                "id": RouterId(router.name),
                "site_id": SiteId("waru"),
                "name": router.name,
                "host": "127.0.0.1",
                "port": router.port,
                "username": USER,
                "sealed_password": RING.seal(PASSWORD, purpose=ROUTER_PASSWORD),
                **fields,
            }
        )
        await self.inventory.put(known.key(), known.model_dump_json().encode())
        return known

    async def wish(self, router: str, name: str, **fields: object) -> int:
        """Publish the next generation of an account; answers it."""
        generation = self.generations[name] = self.generations.get(name, 0) + 1
        desired = {
            "account_id": AccountId(f"id-{name}"),
            "router_id": RouterId(router),
            "generation": generation,
            "service": Service.PPP,
            "name": name,
            "sealed_password": seal(FIRST),
            "profile": "paket10",
            "status": AccountStatus.ACTIVE,
            **fields,
        }
        await self.bus.publish(DesiredAccount(**desired))  # type: ignore[arg-type]
        return generation

    def of(self, name: str, generation: int) -> list[AccountEvent]:
        return [event for event in self.events if (event.name, event.generation) == (name, generation)]

    async def told(self, name: str, generation: int) -> AccountEvent:
        """What became of a generation."""
        await until(lambda: self.of(name, generation))
        return self.of(name, generation)[0]

    async def applied(self, name: str, generation: int) -> AccountApplied:
        event = await self.told(name, generation)
        assert isinstance(event, AccountApplied), event
        return event

    async def failed(self, name: str, generation: int) -> AccountFailed:
        event = await self.told(name, generation)
        assert isinstance(event, AccountFailed), event
        return event

    async def listen(self) -> None:
        async for received in self.bus.read(EVENTS, after_sequence=0):
            if received is not None and isinstance(received.message, AccountEvent):
                self.events.append(received.message)


@asynccontextmanager
async def desk_at(url: str) -> AsyncIterator[Desk]:
    async with NatsBus.connect(url, name="desk", source="desk") as bus:
        desk = Desk(bus, await bus.bucket(INVENTORY_BUCKET))
        listening = asyncio.create_task(desk.listen())
        yield desk
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


@asynccontextmanager
async def provisioner_at(url: str, *, keys: str = KEYS) -> AsyncIterator[None]:
    settings = ProvisionerSettings(nats_url=url, seal_keys=keys)  # type: ignore[arg-type]
    async with build(settings) as service, running(service):
        yield


@asynccontextmanager
async def lab_router(
    version: str = "7.16.2", name: str = "gw-1", *, rtt_s: float = 0.0, group: str = "full", **personality: object
) -> AsyncIterator[VirtualRouter]:
    """A router with two profiles per service, something to log in to, and our user in this group."""
    router = VirtualRouter(Personality(version, **personality), name, rtt_s=rtt_s)  # type: ignore[arg-type]
    policy = "local,telnet,ssh,reboot,read,write,test,winbox,password,web,sniff,api,romon"
    router.menu("/user/group").add(name="blind", policy=policy)  # all but `sensitive`
    router.menu("/user/group").add(name="reader", policy="read,test,api,sensitive")
    router.menu("/user").add(name=USER, password=PASSWORD, group=group)
    add_ethernet(router, "ether1", "48:8F:5A:00:00:01")
    router.menu("/ip/pool").add(name="pool", ranges="10.20.0.10-10.20.0.250")
    router.menu("/interface/pppoe-server/server").add(service_name="isp", interface="ether1", disabled="no")
    if router.hotspot is not None:
        for server in ("hs1", "hs2"):
            router.menu("/ip/hotspot").add(name=server, interface="ether1", disabled="no")
    for name in ("paket10", "paket20"):
        if router.hotspot is not None:
            router.menu(PROFILES[Service.HOTSPOT]).add(name=name)
        router.menu(PROFILES[Service.PPP]).add(name=name, local_address="10.20.0.1", remote_address="pool")
    async with router:
        yield router


async def go_online(router: VirtualRouter, service: Service, name: str = "budi", password: str = FIRST) -> None:
    """The subscriber logs in."""
    if service is Service.PPP:
        await router.pppoe_dial(user=name, password=password, mac="AA:BB:CC:00:00:01")
    else:
        await router.hotspot_login(user=name, password=password, mac="AA:BB:CC:00:00:01", ip="10.5.0.17")


def is_online(router: VirtualRouter, service: Service, name: str = "budi") -> bool:
    """Whether the router lists a session of this name."""
    if service is Service.PPP:
        return router.menu("/ppp/active").row(name=name) is not None
    return router.menu("/ip/hotspot/active").row(user=name) is not None
