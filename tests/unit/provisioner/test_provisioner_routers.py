"""Links to routers as the inventory says, also after a time in which it could not be followed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from services.provisioner.adapters.routers import InventoryRouters
from services.provisioner.faults import RouterAway
from shared.bus.ports import Entry, Gone
from shared.clock import SystemClock
from shared.contracts.ids import RouterId, SiteId
from shared.contracts.inventory import Router
from shared.errors import Unreachable
from shared.routeros import RouterAddress, Session
from shared.security.sealing import ROUTER_PASSWORD
from tests.fakes.provisioning import RING
from tests.fakes.router_session import FakeRouter
from tests.support.waiting import until


def entry(name: str, **fields: object) -> Entry:
    router = Router(
        **{  # type: ignore[arg-type]
            "id": RouterId(name),
            "site_id": SiteId("s"),
            "name": name,
            "host": f"{name}.example",
            "username": "ronda",
            "sealed_password": RING.seal("x", purpose=ROUTER_PASSWORD),
            **fields,
        }
    )
    return Entry(router.key(), router.model_dump_json().encode(), 1)


@dataclass
class Inventory:
    """A bucket that is watched: what each watch says in turn; the last one stays open."""

    watches: list[list[Entry | Gone | None]]
    more: asyncio.Queue[Entry | Gone | None] = field(default_factory=asyncio.Queue)

    async def watch(self, prefix: str = "") -> AsyncIterator[Entry | Gone | None]:
        assert prefix == "router."
        for item in self.watches.pop(0):
            yield item
        if self.watches:
            raise Unreachable("the bus is away")
        while True:
            yield await self.more.get()


@dataclass
class Network:
    """Routers by host name; one that is not there does not answer."""

    routers: dict[str, FakeRouter]

    async def connect(self, address: RouterAddress) -> Session:
        if address.host not in self.routers:
            raise Unreachable(f"{address} does not answer")
        return self.routers[address.host].session()


@asynccontextmanager
async def following(inventory: Inventory, network: Network) -> AsyncIterator[InventoryRouters]:
    routers = InventoryRouters(keys=RING, clock=SystemClock(), session_wait_s=0.2, connect=network.connect)
    task = asyncio.create_task(routers.follow(inventory))  # type: ignore[arg-type]
    try:
        yield routers
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def next_return(routers: InventoryRouters) -> RouterId:
    async with asyncio.timeout(10):
        async for router_id in routers.returned():
            return router_id
    raise AssertionError("it never ends")


async def opens(routers: InventoryRouters, name: str) -> bool:
    try:
        async with routers.session(RouterId(name)) as session:
            return session.is_open
    except RouterAway:
        return False


async def test_every_new_session_is_a_return():
    router = FakeRouter()
    async with following(Inventory([[entry("a"), None]]), Network({"a.example": router})) as routers:
        assert await next_return(routers) == "a"
        assert await opens(routers, "a")
        router.vanish()
        assert not await opens(routers, "a"), "an ended session is not handed out, whatever the link knows by now"
        router.come_back()
        assert await next_return(routers) == "a"
        assert await opens(routers, "a")


async def test_a_router_deleted_while_nobody_could_follow_is_let_go():
    inventory = Inventory([[entry("a"), entry("b"), None], [entry("b"), None]])
    network = Network({"a.example": FakeRouter(), "b.example": FakeRouter()})
    async with following(inventory, network) as routers:
        await until(lambda: opens(routers, "a"))
        await until(lambda: not inventory.watches)

        async def gone() -> bool:
            return not await opens(routers, "a")

        await until(gone)
        assert await opens(routers, "b")


async def test_an_entry_that_cannot_be_read_or_opened_stops_nobody():
    broken = Entry("router.x", b"{}", 1)
    shut = entry("shut", sealed_password="k1.AAAA.BBBB")
    async with following(
        Inventory([[broken, shut, entry("a"), None]]), Network({"a.example": FakeRouter()})
    ) as routers:
        await until(lambda: opens(routers, "a"))
        with pytest.raises(RouterAway, match="shut cannot be asked"):
            async with routers.session(RouterId("shut"), patient=True):
                pass


async def test_an_absent_router_is_refused_at_once_and_a_question_waits_for_the_first_session():
    async with following(Inventory([[entry("a"), None]]), Network({"a.example": FakeRouter()})) as routers:
        await routers.known.wait()
        async with routers.session(RouterId("a"), patient=True) as session:
            assert session.is_open
    async with following(Inventory([[entry("b"), None]]), Network({})) as routers:
        await routers.known.wait()
        with pytest.raises(RouterAway, match="b cannot be asked"):
            async with routers.session(RouterId("b"), patient=True):
                pass


async def test_links_are_closed_with_the_follower():
    router = FakeRouter()
    async with following(Inventory([[entry("a"), None]]), Network({"a.example": router})) as routers:
        await until(lambda: opens(routers, "a"))
        async with routers.session(RouterId("a")) as session:
            pass
    assert not session.is_open
