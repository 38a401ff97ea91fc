"""The desk of a router: endings wait a moment for their reason, and everything of one session is told in order."""

from __future__ import annotations

import asyncio

from services.poller.core.mass_drop import Carrier
from services.poller.core.placing import (
    Places,
    hotspot_interfaces,
    only_interface,
    pool_ranges,
    ppp_interfaces,
    vlan_parents,
)
from services.poller.core.session_facts import Seen, Session
from services.poller.handlers.log_lines import LogLine
from services.poller.handlers.session_desk import REASON_PATIENCE, SessionDesk
from shared.contracts.events import SessionClosed, SessionOpened, SessionsDropped
from shared.contracts.ids import RouterId, SiteId
from shared.contracts.inventory import Router
from shared.contracts.vocabulary import DropCause, Service
from tests.fakes.teller import FakeTeller
from tests.fakes.virtual_time import EPOCH, VirtualClock, run_virtually

ROUTER = Router(
    id=RouterId("01r0ut"), site_id=SiteId("waru"), name="waru-gw", host="203.0.113.7", username="x", sealed_password="x"
)
BUDI = Seen("1100050A", "budi", "10.5.0.17", "A4:5E:60:11:22:33")
LINE = "budi (10.5.0.17): logged out: keepalive timeout"


class Desk:
    def __init__(self) -> None:
        self.clock, self.teller = VirtualClock(), FakeTeller()
        self.desk = SessionDesk(ROUTER, {}, teller=self.teller, clock=self.clock)
        self.book = self.desk.books[Service.HOTSPOT]

    def comes(self, row: Seen = BUDI) -> None:
        self.desk.tell(Service.HOTSPOT, self.book.seen(row, self.clock.now()))

    def goes(self, slot: str = BUDI.slot) -> None:
        self.desk.tell(Service.HOTSPOT, self.book.gone(slot, self.clock.now()))

    def logs(self, line: str = LINE) -> None:
        self.desk.read(LogLine("hotspot,account,info,debug", line, self.clock.now()))

    def closed(self) -> list[SessionClosed]:
        return [event for event in self.teller.told if isinstance(event, SessionClosed)]


def played(plot) -> Desk:
    async def run() -> Desk:
        here = Desk()
        await plot(here)
        return here

    return run_virtually(run())


def test_reason_is_taken_whether_the_line_or_the_row_comes_first():
    async def plot(here: Desk) -> None:
        for order in ((here.logs, here.goes), (here.goes, here.logs)):
            here.comes()
            await asyncio.sleep(10)
            order[0]()
            await asyncio.sleep(0.05)
            order[1]()
            await asyncio.sleep(1)

    assert [event.reason for event in played(plot).closed()] == ["keepalive timeout"] * 2


def test_ending_is_told_after_its_patience_though_nothing_is_said_of_it():
    async def plot(here: Desk) -> None:
        here.comes()
        await asyncio.sleep(10)
        here.goes()
        assert here.closed() == []
        await asyncio.sleep(REASON_PATIENCE.total_seconds() + 0.06)
        assert [event.reason for event in here.closed()] == [None]

    played(plot)


def test_new_session_at_the_same_place_is_told_after_the_end_of_the_old_one():
    async def plot(here: Desk) -> None:
        here.comes()
        await asyncio.sleep(10)
        here.goes()
        here.comes()
        await asyncio.sleep(1)

    assert [type(event) for event in played(plot).teller.told] == [SessionOpened, SessionClosed, SessionOpened]


def test_what_waits_is_told_when_the_watch_ends():
    async def plot(here: Desk) -> None:
        here.comes()
        here.goes()
        here.desk.finish()
        assert len(here.closed()) == 1

    played(plot)


def test_many_endings_are_one_drop_and_each_says_so():
    async def plot(here: Desk) -> None:
        here.desk.places = Places("waru-gw", hotspot_interfaces={"hs1": "vlan10"}, vlan_parents={"vlan10": "ether3"})
        rows = [Seen(f"{n:X}", f"tamu{n}", f"10.5.0.{n}", server="hs1") for n in range(40)]
        for row in rows:
            here.comes(row)
        await asyncio.sleep(60)
        for row in rows[:30]:
            here.goes(row.slot)
            await asyncio.sleep(0.02)
        await asyncio.sleep(5)
        [drop] = [event for event in here.teller.told if isinstance(event, SessionsDropped)]
        assert (drop.cause, drop.cause_name, drop.lost, drop.of) == (DropCause.VLAN, "vlan10", 30, 40)
        assert {event.drop_id for event in here.closed()} == {drop.drop_id}
        assert len(here.closed()) == 30

    played(plot)


def test_places_are_read_from_the_routers_tables():
    places = Places(
        "gw",
        hotspot_interfaces([{"name": "hs1", "interface": "bridge"}]),
        ppp_interfaces([{"user": "siti", "interface": "vlan101"}, {"name": "static"}]),
        only_interface([{"interface": "ether2"}, {"interface": "ether3", "disabled": "true"}]),
        vlan_parents([{"name": "vlan101", "interface": "ether2"}]),
        pool_ranges([{"name": "a", "ranges": "10.6.0.2-10.6.0.99,10.7.0.0/24"}, {"name": "b", "ranges": "10.8.0.1"}]),
    )

    def names(service: Service, account: str, address: str | None, server: str | None = None) -> set[str]:
        session = Session("1", 1, account, EPOCH, address, server=server)
        return {carrier.name for carrier in places.carriers(service, session)}

    assert names(Service.PPP, "siti", "10.6.0.9") == {"gw", "vlan101", "ether2", "a"}
    assert names(Service.PPP, "budi", "10.7.0.200") == {"gw", "ether2", "a"}
    assert names(Service.HOTSPOT, "x", "10.8.0.1", "hs1") == {"gw", "bridge", "b"}
    assert names(Service.HOTSPOT, "x", "10.8.0.2", "hs2") == {"gw"}
    assert names(Service.HOTSPOT, "x", "fe80::1") == {"gw"}
    assert Carrier(DropCause.VLAN, "vlan101") in places.carriers(Service.PPP, Session("1", 1, "siti", EPOCH))
