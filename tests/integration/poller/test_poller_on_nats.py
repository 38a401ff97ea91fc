"""The whole poller on a real NATS server: from a probe that is lost to an event, across restarts and absences."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from deploy.local.nats_server import NatsServer
from services.poller.main import build
from services.poller.settings import PollerSettings
from shared.bus.nats import NatsBus
from shared.bus.ports import Bucket
from shared.clock import SystemClock
from shared.contracts.events import Event, HostDown, HostUp
from shared.contracts.ids import HostId, SiteId
from shared.contracts.inventory import Host, ProbePolicy, Site
from shared.contracts.queries import ListWatched, PingTarget
from shared.contracts.streams import EVENTS, INVENTORY_BUCKET
from shared.contracts.vocabulary import HostState, LikelyCause, ProbeFailure, ProbeKind
from shared.errors import NotFound, Unreachable
from shared.lifecycle import Service, running
from shared.security.sealing import generate_key
from tests.support.waiting import until

SITE = Site(id=SiteId("waru"), name="Waru")
QUICK = ProbePolicy(
    name="quick", interval_s=0.2, burst_size=3, burst_spacing_s=0.05, recovery_spacing_s=0.05, max_timeout_s=0.3
)
KEYS = generate_key()
CLOCK = SystemClock()


@dataclass
class Desk:
    """The other side of the bus: the inventory's keeper and the readers of events."""

    bus: NatsBus
    inventory: Bucket
    events: list[Event] = field(default_factory=list)

    async def put(self, *entries: Site | Host | ProbePolicy) -> None:
        for entry in entries:
            await self.inventory.put(entry.key(), entry.model_dump_json().encode())

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]

    async def listen(self) -> None:
        async for received in self.bus.read(EVENTS, after_sequence=0):
            if received is not None:
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
async def poller_at(url: str) -> AsyncIterator[Service]:
    settings = PollerSettings(nats_url=url, seal_keys=KEYS)
    async with build(settings) as service, running(service):
        yield service


class Door:
    """A TCP port that can be closed and opened again."""

    def __init__(self) -> None:
        self._sock = socket.create_server(("127.0.0.1", 0))
        self.port = self._sock.getsockname()[1]

    def close(self) -> None:
        self._sock.close()

    def open(self) -> None:
        self._sock = socket.create_server(("127.0.0.1", self.port))


@pytest.fixture
def poller_url(shared_nats_server: NatsServer) -> str:
    """With the poller's own rights on the bus."""
    return shared_nats_server.url("poller")


@pytest.fixture
def door():
    door = Door()
    yield door
    door.close()


def tcp_host(door: Door, name: str = "web-1") -> Host:
    return Host(
        id=HostId(name),
        site_id=SITE.id,
        name=name,
        address="127.0.0.1",
        probe=ProbeKind.TCP,
        port=door.port,
        policy="quick",
    )


def icmp_host(address: str = "127.0.0.1", name: str = "core-1") -> Host:
    return Host(id=HostId(name), site_id=SITE.id, name=name, address=address, policy="quick")


@pytest.mark.mission("C1", "B8")
async def test_host_that_falls_silent_and_answers_again_is_told_with_times_and_causes(nats_url, poller_url, door):
    async with desk_at(nats_url) as desk, poller_at(poller_url):
        await desk.put(SITE, QUICK, tcp_host(door))
        first = await until(lambda: desk.of(HostUp))
        assert first[0].previous is HostState.UNKNOWN
        cut_at = CLOCK.now()
        door.close()
        [down] = await until(lambda: desk.of(HostDown))
        door.open()
        await until(lambda: len(desk.of(HostUp)) == 2)
    assert (down.host_name, down.site_name, down.address) == ("web-1", "Waru", f"127.0.0.1:{door.port}")
    assert down.failure is ProbeFailure.REFUSED
    assert down.likely_causes[0] is LikelyCause.SERVICE_STOPPED
    assert abs((down.since - cut_at).total_seconds()) < 1.0
    up = desk.of(HostUp)[1]
    assert (up.transition, up.down_since) == (down.transition + 1, down.since)
    assert up.outage_s == pytest.approx((up.at - down.since).total_seconds(), abs=1.0)


async def test_loopback_is_up_by_icmp_and_can_be_pinged_and_listed(nats_url, poller_url):
    async with desk_at(nats_url) as desk, poller_at(poller_url):
        await desk.put(SITE, QUICK, icmp_host("127.0.0.5"), icmp_host("::1", "core-6"))
        await until(lambda: len(desk.of(HostUp)) == 2)
        report = await desk.bus.request(PingTarget(target="core-1", host_id=HostId("core-1"), count=3))
        assert (report.address, report.sent, report.received) == ("127.0.0.5", 3, 3)
        assert 0 < report.rtt_min_ms <= report.rtt_avg_ms <= report.rtt_max_ms
        watched = {host.host_id: host for host in (await desk.bus.request(ListWatched())).hosts}
        assert {host.state for host in watched.values()} == {HostState.UP}
        assert all(host.rtt_ms > 0 for host in watched.values())


async def test_ping_of_what_does_not_exist_is_refused_with_a_reason(nats_url, poller_url):
    async with desk_at(nats_url) as desk, poller_at(poller_url):
        with pytest.raises(NotFound, match="does not know the host nobody"):
            await until_served(desk, PingTarget(target="x", host_id=HostId("nobody")))


async def until_served(desk: Desk, query: PingTarget):
    """Ask until somebody serves the query (the poller has just been started)."""
    async with asyncio.timeout(10):
        while True:
            try:
                return await desk.bus.request(query)
            except Unreachable:
                await asyncio.sleep(0.05)


@pytest.mark.mission("C1")
async def test_restart_repeats_nothing_and_forgets_nothing(nats_url, poller_url, door):
    async with desk_at(nats_url) as desk:
        await desk.put(SITE, QUICK, tcp_host(door), icmp_host())
        async with poller_at(poller_url):
            await until(lambda: len(desk.of(HostUp)) == 2)
            door.close()
            await until(lambda: desk.of(HostDown))
        async with poller_at(poller_url):  # still down: nothing new
            await until_shown(desk, {"web-1": HostState.DOWN, "core-1": HostState.UP})
        door.open()
        async with poller_at(poller_url):  # came back while nobody looked
            await until(lambda: len(desk.of(HostUp)) == 3)
    assert len(desk.of(HostDown)) == 1
    numbers = [event.transition for event in desk.events if event.host_id == "web-1"]
    assert [number - numbers[0] for number in numbers] == [0, 1, 2]


async def until_shown(desk: Desk, states: dict[str, HostState]) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                report = await desk.bus.request(ListWatched())
            except Unreachable:
                report = None
            if report and {host.host_id: host.state for host in report.hosts} == states:
                return
            await asyncio.sleep(0.05)


async def test_crash_between_telling_and_saving_is_mended_from_the_stream(nats_url, poller_url, door):
    """The stream knows of a DOWN that the memory does not, and the host is back: the alarm must be ended."""
    host = tcp_host(door)
    async with desk_at(nats_url) as desk:
        await desk.put(SITE, QUICK, host)
        async with poller_at(poller_url):
            await until(lambda: desk.of(HostUp))
        now = CLOCK.now()
        await desk.bus.publish(
            HostDown(
                at=now,
                host_id=host.id,
                host_name=host.name,
                address=host.address,
                site_id=SITE.id,
                site_name=SITE.name,
                policy="quick",
                transition=desk.of(HostUp)[0].transition + 1,
                previous=HostState.UP,
                since=now,
                failure=ProbeFailure.TIMEOUT,
            )
        )
        async with poller_at(poller_url):
            await until(lambda: len(desk.of(HostUp)) == 2)
    first, second = desk.of(HostUp)
    assert second.transition - first.transition == 2


async def test_facts_wait_for_the_bus_and_come_in_order_with_their_own_times(nats_server: NatsServer, door):
    async with poller_at(nats_server.url("poller")) as poller:
        async with desk_at(nats_server.url()) as desk:
            await desk.put(SITE, QUICK, tcp_host(door))
            await until(lambda: desk.of(HostUp))
        nats_server.kill()
        door.close()
        await until(lambda: b"ronda_poller_facts_waiting 1.0" in poller.metrics.render())
        door.open()
        reopened = CLOCK.now()
        await until(lambda: b"ronda_poller_facts_waiting 2.0" in poller.metrics.render())
        nats_server.start()
        async with desk_at(nats_server.url()) as desk:
            await until(lambda: len(desk.of(HostUp)) == 2)
    assert [type(event) for event in desk.events] == [HostUp, HostDown, HostUp]
    [down] = desk.of(HostDown)
    assert down.at < reopened
    assert desk.of(HostUp)[1].down_since == down.since


async def test_removed_host_is_watched_no_longer_and_forgotten(nats_url, poller_url, door):
    host = tcp_host(door)
    async with desk_at(nats_url) as desk, poller_at(poller_url):
        await desk.put(SITE, QUICK, host, icmp_host())
        await until(lambda: len(desk.of(HostUp)) == 2)
        await desk.inventory.delete(host.key())
        await until_shown(desk, {"core-1": HostState.UP})
        await desk.put(host.model_copy(update={"enabled": False}))
        await desk.put(icmp_host("127.0.0.2"))
        await until_shown(desk, {"core-1": HostState.UP})
