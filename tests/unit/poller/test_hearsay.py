"""What routers' scripts say reaches the right desk once, also when the poller was away or another one was on duty."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.poller.handlers.heard_hosts import BELIEVED_FOR, HeardHosts
from services.poller.handlers.hearsay import Hearsay
from services.poller.handlers.session_desk import SessionDesk
from services.poller.handlers.telling import Teller
from shared.bus.memory import MemoryBus
from shared.clock import SystemClock
from shared.contracts.events import RouterSaid, SessionClosed, SessionOpened
from shared.contracts.ids import RouterId, SiteId, new_id
from shared.contracts.inventory import Router
from shared.contracts.streams import EVENTS, STATE_BUCKET
from shared.contracts.vocabulary import Saying, Service
from tests.support.waiting import until

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
WARU = RouterId("01r0ut")
MAC = "A4:5E:60:11:22:33"


def entry(router_id: RouterId) -> Router:
    site = SiteId("waru")
    return Router(id=router_id, site_id=site, name=router_id, host="203.0.113.7", username="x", sealed_password="x")


@dataclass
class Poller:
    hearsay: Hearsay
    desk: SessionDesk
    hosts: HeardHosts
    teller: Teller


@asynccontextmanager
async def poller(bus: MemoryBus, router_id: RouterId = WARU) -> AsyncIterator[Poller]:
    state = await bus.bucket(STATE_BUCKET)
    teller, clock, hosts = Teller(bus, state, on_takeover=lambda *_: None), SystemClock(), HeardHosts()
    hearsay = Hearsay(bus, state, teller, hosts=hosts)
    tasks = [asyncio.create_task(teller.run()), asyncio.create_task(hearsay.run())]
    desk = SessionDesk(entry(router_id), {}, teller=teller, clock=clock)
    async with hearsay.attached(router_id, desk):
        yield Poller(hearsay, desk, hosts, teller)
        desk.finish()
        await until(lambda: teller.waiting == 0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def say(bus: MemoryBus, saying: Saying, router_id: RouterId = WARU, **what: object) -> None:
    said = {"at": NOW, "said_id": new_id(), "router_id": router_id, "saying": saying, "mac": MAC, **what}
    await bus.publish(RouterSaid.model_validate(said))


async def told(bus: MemoryBus) -> list[tuple[str, str]]:
    kinds = (SessionOpened, SessionClosed)
    reading = bus.read(EVENTS, *(kind.filter() for kind in kinds), after_sequence=0, follow=False)
    return [(one.message.NAME, one.message.account) async for one in reading if one is not None]


async def test_sayings_become_facts_and_are_not_made_facts_again_after_a_restart():
    bus = MemoryBus(source="test")
    async with poller(bus):
        await say(bus, Saying.LOGIN, account="budi", address="10.5.0.17")
        await until(lambda: told_count(bus, 1))
        await say(bus, Saying.LOGOUT, account="budi", address="10.5.0.17", duration_s=0.0)
        await until(lambda: told_count(bus, 2))
    await say(bus, Saying.LOGIN, account="siti", address="10.5.0.18")  # nobody listens
    async with poller(bus):
        await until(lambda: told_count(bus, 3))
    assert await told(bus) == [("session.opened", "budi"), ("session.closed", "budi"), ("session.opened", "siti")]


async def told_count(bus: MemoryBus, count: int) -> bool:
    return len(await told(bus)) >= count


async def test_who_begins_to_watch_a_router_hears_what_was_said_of_it_meanwhile():
    bus = MemoryBus(source="test")
    async with poller(bus, RouterId("another")) as here:
        await say(bus, Saying.LOGIN, account="budi", address="10.5.0.17")
        await until(lambda: here.hearsay._place > 0)
        assert await told(bus) == []
        async with here.hearsay.attached(WARU, here.desk):
            await until(lambda: told_count(bus, 1))
        again = SessionDesk(entry(WARU), {}, teller=here.teller, clock=SystemClock())
        async with here.hearsay.attached(WARU, again):
            assert len(again) == 0, "of what was told already nothing is made a fact again"
    assert await told(bus) == [("session.opened", "budi")]


async def test_log_in_and_end_of_a_pushed_ppp_session_meet_by_the_number_of_the_line():
    bus = MemoryBus(source="test")
    async with poller(bus) as here:
        line = {"service": Service.PPP, "account": "siti", "interface": "*F00001"}
        await say(bus, Saying.LOGIN, address="10.6.0.9", **line)
        await say(bus, Saying.LOGOUT, **{**line, "interface": "*F00000"})
        await say(bus, Saying.LOGOUT, **line)
        await until(lambda: len(here.desk) == 0 and told_count(bus, 2))
    assert await told(bus) == [("session.opened", "siti"), ("session.closed", "siti")]


async def test_what_netwatch_said_last_is_kept_for_a_day():
    hosts = HeardHosts()
    hosts.host_said(WARU, "10.9.0.1", up=True, at=NOW)
    hosts.host_said(WARU, "10.9.0.1", up=False, at=NOW + timedelta(minutes=1))
    assert hosts.last(WARU, ("10.9.0.1", "kamera"), NOW + timedelta(hours=1)).up is False
    assert hosts.last(WARU, ("10.9.0.2",), NOW) is None
    assert hosts.last(RouterId("another"), ("10.9.0.1",), NOW) is None
    assert hosts.last(WARU, ("10.9.0.1",), NOW + BELIEVED_FOR + timedelta(hours=1)) is None


async def test_host_said_to_be_up_is_believed_while_its_router_speaks_of_anything():
    bus = MemoryBus(source="test")
    async with poller(bus) as here:
        here.hosts.host_said(WARU, "10.9.0.1", up=True, at=NOW - timedelta(hours=5))
        assert here.hosts.last(WARU, ("10.9.0.1",), NOW) is None
        await say(bus, Saying.LOGIN, account="siti")
        await until(lambda: here.hosts.last(WARU, ("10.9.0.1",), NOW))
    assert here.hosts.up(WARU, ("10.9.0.1",), since=NOW - timedelta(hours=6), now=NOW) is True
    assert here.hosts.up(WARU, ("10.9.0.1",), since=NOW - timedelta(hours=5), now=NOW) is None


async def test_netwatch_of_a_router_reaches_who_listens_for_hosts():
    bus = MemoryBus(source="test")
    async with poller(bus) as here:
        await say(bus, Saying.DOWN, address="10.9.0.1", mac=None)
        await until(lambda: here.hosts.last(WARU, ("10.9.0.1",), NOW))
    assert await told(bus) == []
