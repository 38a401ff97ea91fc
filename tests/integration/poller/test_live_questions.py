"""Live questions on the lab's routers of both lines: typed answers, parts of tables, the router's own words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import SecretStr

from lab.routers import Personality, VirtualRouter
from lab.routers.behaviour.interfaces import add_ethernet
from lab.routers.behaviour.links import Link
from services.poller.handlers.doors import RouterDoors
from services.poller.handlers.live import LIVE, answer_live
from shared.bus.ports import NotHere
from shared.contracts import live
from shared.contracts.ids import RouterId
from shared.errors import Invalid, Unreachable
from shared.routeros import RouterAddress, RouterSession

ROUTER = RouterId("01r0ut")
FAR = "10.66.0.9"


@dataclass
class Desk:
    router: VirtualRouter
    doors: RouterDoors

    async def ask(self, query: live.RouterQuery[Any]) -> Any:
        return await answer_live(query, door=self.doors, trouble=lambda _: None)


def furnish(router: VirtualRouter) -> None:
    """Two ports, a pool of which some addresses are taken, leases, name servers."""
    add_ethernet(router, "ether1", "48:8F:5A:00:00:01")
    add_ethernet(router, "ether2", "48:8F:5A:00:00:02")
    router.menu("/ip/address").add(address="10.5.0.1/24", interface="ether1", comment="uplink")
    router.menu("/ip/pool").add(name="pppoe", ranges="10.20.0.10-10.20.0.19,10.21.0.0/30,10.22.0.1")
    router.menu("/ppp/profile").add(name="10M", local_address="10.20.0.1", remote_address="pppoe")
    router.menu("/interface/pppoe-server/server").add(service_name="isp", interface="ether2", disabled="no")
    router.menu("/ppp/secret").add(name="budi", password="budi-pw", profile="10M", service="pppoe")
    router.menu("/ip/dhcp-server").add(name="dhcp1", interface="ether1", lease_time="10m", disabled="no")
    router.menu("/ip/dhcp-server/lease").add(address="10.5.0.50", mac_address="A4:5E:60:00:00:50", comment="kamera")
    for number in range(1, 4):
        router.leases.bind("dhcp1", f"A4:5E:60:00:00:0{number}", f"10.5.0.{number + 10}", f"hp-{number}")


@pytest.fixture(params=["6.49.18", "7.16.2", "7.20.8"])
async def desk(request) -> AsyncIterator[Desk]:
    async with VirtualRouter(Personality(request.param), "waru-gw", password="rahasia") as router:
        furnish(router)
        doors = RouterDoors()
        address = RouterAddress("127.0.0.1", "admin", SecretStr("rahasia"), router.port)
        async with await RouterSession.connect(address) as session:
            doors.opened(ROUTER, session)
            yield Desk(router, doors)


async def test_leases_bound_and_waiting(desk):
    answer = await desk.ask(live.ListLeases(router_id=ROUTER))
    by_address = {row.address: row for row in answer.rows}
    assert answer.total == 4
    bound, waiting = by_address["10.5.0.11"], by_address["10.5.0.50"]
    assert (bound.status, bound.mac, bound.host_name, bound.server) == ("bound", "A4:5E:60:00:00:01", "hp-1", "dhcp1")
    assert bound.dynamic
    assert 0 < bound.expires_s <= 600
    assert (waiting.status, waiting.comment, waiting.last_seen_s, waiting.dynamic) == ("waiting", "kamera", None, False)


@pytest.mark.parametrize(
    ("wish", "addresses", "total", "truncated"),
    [
        pytest.param({"limit": 2}, ["10.5.0.50", "10.5.0.11"], 4, True, id="begin"),
        pytest.param({"limit": 2, "offset": 2}, ["10.5.0.12", "10.5.0.13"], 4, False, id="end"),
        pytest.param({"search": "HP-2"}, ["10.5.0.12"], 1, False, id="search-any-case"),
        pytest.param({"search": "tidak ada"}, [], 0, False, id="nothing-found"),
        pytest.param({"offset": 9}, [], 4, False, id="beyond"),
    ],
)
async def test_part_of_a_table(desk, wish, addresses, total, truncated):
    answer = await desk.ask(live.ListLeases(router_id=ROUTER, **wish))
    assert [row.address for row in answer.rows] == addresses
    assert (answer.total, answer.truncated) == (total, truncated)


async def test_addresses(desk):
    answer = await desk.ask(live.ListAddresses(router_id=ROUTER, search="uplink"))
    assert [(row.address, row.network, row.interface) for row in answer.rows] == [("10.5.0.1/24", "10.5.0.0", "ether1")]


async def test_pools_with_what_is_used_of_them(desk):
    await desk.router.pppoe_dial(user="budi", password="budi-pw", mac="A4:5E:60:11:22:33")
    [pool] = (await desk.ask(live.ListPools(router_id=ROUTER))).rows
    assert (pool.name, pool.used) == ("pppoe", 1)
    assert pool.ranges == ("10.20.0.10-10.20.0.19", "10.21.0.0/30", "10.22.0.1")
    assert pool.total in (13, 15)  # whether a network's first and last address count is the router's business from 7.17


async def test_interfaces_and_their_traffic(desk):
    await desk.router.pppoe_dial(user="budi", password="budi-pw", mac="A4:5E:60:11:22:33")
    states = {row.name: row for row in (await desk.ask(live.ListInterfaces(router_id=ROUTER))).rows}
    assert states["ether1"].running
    assert states["<pppoe-budi>"].dynamic
    desk.router.menu("/interface").named("ether1").meter.rx_bps = 48_000_000.0
    quiet = await desk.ask(live.ListTraffic(router_id=ROUTER))
    assert {row.name: row.rx_bps for row in quiet.rows}["ether1"] == 48_000_000
    assert "<pppoe-budi>" not in {row.name for row in quiet.rows}
    wanted = await desk.ask(live.ListTraffic(router_id=ROUTER, search="budi"))
    assert [row.name for row in wanted.rows] == ["<pppoe-budi>"]


async def test_settings_for_names(desk):
    await desk.doors.session(ROUTER).set_("/ip/dns", None, {"servers": "9.9.9.9,1.1.1.1"})
    answer = await desk.ask(live.AskDns(router_id=ROUTER))
    assert answer.servers == ("9.9.9.9", "1.1.1.1")
    assert answer.cache_size_kib == 2048


async def test_neighbours_on_a_lonely_router(desk):
    assert (await desk.ask(live.ListNeighbors(router_id=ROUTER))).total == 0


async def test_resources(desk):
    answer = await desk.ask(live.AskResources(router_id=ROUTER))
    assert answer.identity == "waru-gw"
    assert answer.version.startswith(str(desk.router.personality.version))
    assert 0 < answer.memory_free < answer.memory_total
    assert answer.cpu_percent is not None


async def test_ping_from_the_router(desk):
    desk.router.links.up(FAR, rtt_s=0.02)
    report = await desk.ask(live.PingFromRouter(router_id=ROUTER, address=FAR, count=2))
    assert (report.sent, report.received) == (2, 2)
    assert report.rtt_avg_ms == pytest.approx(20, abs=2)


async def test_dead_host_is_full_loss_without_times(desk):
    desk.router.links.down(FAR)
    report = await desk.ask(live.PingFromRouter(router_id=ROUTER, address=FAR, count=1))
    assert (report.received, report.loss_percent, report.rtt_avg_ms) == (0, 100.0, None)


async def test_way_from_the_router(desk):
    desk.router.links.put(FAR, Link(rtt_s=0.03, hops=("10.5.0.254", "10.6.0.1")))
    route = await desk.ask(live.TraceFromRouter(router_id=ROUTER, address=FAR))
    assert [hop.address for hop in route.hops] == ["10.5.0.254", "10.6.0.1", FAR]
    assert route.reached
    assert route.hops[-1].rtt_ms == pytest.approx(30, abs=3)


async def test_way_that_ends_somewhere_shows_where(desk):
    desk.router.links.put(FAR, Link(up=False, hops=("10.5.0.254",)))
    route = await desk.ask(live.TraceFromRouter(router_id=ROUTER, address=FAR))
    assert route.hops[0].address == "10.5.0.254"
    assert (route.hops[1].address, route.hops[1].rtt_ms, route.reached) == ("", None, False)


async def test_refusal_is_in_the_routers_words(desk):
    with pytest.raises(Invalid, match="invalid value for argument address"):
        await desk.ask(live.PingFromRouter(router_id=ROUTER, address="tak dikenal"))


@pytest.mark.parametrize("kind", LIVE, ids=lambda kind: kind.NAME)
async def test_router_without_a_session_is_unreachable_here_and_silence_elsewhere(kind):
    query = kind.model_validate({**kind.EXAMPLE, "router_id": ROUTER})
    with pytest.raises(Unreachable, match="connection refused"):
        await answer_live(query, door=RouterDoors(), trouble=lambda _: "connection refused")
    with pytest.raises(NotHere):
        await answer_live(query, door=RouterDoors(), trouble=lambda _: None)
