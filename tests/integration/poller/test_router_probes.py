"""Asking through a router: its ping and its netwatch, on the lab's routers of both lines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from pydantic import SecretStr

from lab.routers import Personality, VirtualRouter
from lab.routers.behaviour.links import Link
from services.poller.adapters.router_ping import RouterPing
from services.poller.adapters.tasked import TaskedProbe
from services.poller.handlers.doors import RouterDoors
from services.poller.handlers.heard_hosts import BELIEVED_FOR, HeardHosts
from services.poller.ports import target_of
from services.poller.probes import KINDS, Means
from shared.clock import SystemClock
from shared.contracts.ids import RouterId
from shared.contracts.inventory import PROBE_POLICIES, Host
from shared.contracts.vocabulary import ProbeFailure, ProbeKind
from shared.routeros import RouterAddress, RouterSession
from tests.fakes.asker import RecordingAsker

ROUTER = RouterId("01r0ut")
FAR = "10.66.0.9"
FAR_HOST = {
    "id": "01far",
    "site_id": "waru",
    "name": "AP jauh",
    "address": FAR,
    "probe": "router",
    "via_router": ROUTER,
}
VERSIONS = ["6.49.18", "7.16.2"]


@dataclass
class Desk:
    """A router, the door to it, and the probe that is tried."""

    router: VirtualRouter
    doors: RouterDoors
    probe: TaskedProbe
    heard: HeardHosts
    asked: int = 0

    async def ask(self, timeout_s: float = 1.0, **fields: object) -> RecordingAsker:
        asker = RecordingAsker()
        kind = ProbeKind.ROUTER if isinstance(self.probe, RouterPing) else ProbeKind.NETWATCH
        host = Host.model_validate({**FAR_HOST, **fields, "probe": kind})
        self.asked += 1
        self.probe.ask(target_of(host, FAR, PROBE_POLICIES["standard"]), self.asked, timeout_s, asker)
        await asker.until(1, 10)
        return asker

    async def status(self) -> ProbeFailure | str | None:
        """A failure, the words of a blind one, or None for an answer."""
        asker = await self.ask()
        if asker.losses:
            return asker.losses[0][2]
        return asker.blinds[0][1] if asker.blinds else None

    async def until_status(self, wanted: ProbeFailure | None) -> None:
        """Ask until this is answered; the test's own time limit ends it otherwise."""
        while await self.status() is not wanted:
            pass


@pytest.fixture(params=VERSIONS)
async def router(request) -> AsyncIterator[VirtualRouter]:
    async with VirtualRouter(Personality(request.param), "waru-gw", password="rahasia") as running:
        yield running


async def opened(router: VirtualRouter, kind: ProbeKind) -> AsyncIterator[Desk]:
    doors = RouterDoors()
    means = Means(doors=doors)
    desk = Desk(router, doors, KINDS[kind](means), means.heard)
    address = RouterAddress("127.0.0.1", "admin", SecretStr("rahasia"), router.port)
    async with await RouterSession.connect(address) as session:
        doors.opened(ROUTER, session)
        yield desk
        await desk.probe.close()


@pytest.fixture
async def ping(router) -> AsyncIterator[Desk]:
    async for desk in opened(router, ProbeKind.ROUTER):
        yield desk


@pytest.fixture
async def netwatch(router) -> AsyncIterator[Desk]:
    async for desk in opened(router, ProbeKind.NETWATCH):
        yield desk


async def test_round_trip_is_the_routers_own(ping):
    ping.router.links.up(FAR, rtt_s=0.031)
    [(_, rtt_ms)] = (await ping.ask()).answers
    assert rtt_ms == pytest.approx(31, abs=1)


@pytest.mark.parametrize(
    ("link", "failure"),
    [
        pytest.param(Link(up=False), ProbeFailure.TIMEOUT, id="silent"),
        pytest.param(Link(up=False, status="host unreachable"), ProbeFailure.UNREACHABLE, id="no-host"),
        pytest.param(Link(up=False, status="net unreachable"), ProbeFailure.UNREACHABLE, id="no-net"),
        pytest.param(Link(up=False, status="TTL exceeded"), ProbeFailure.TTL_EXCEEDED, id="loop"),
    ],
)
async def test_what_the_router_cannot_reach_is_lost_with_its_reason(ping, link, failure):
    ping.router.links.put(FAR, link)
    assert await ping.status() is failure


async def test_router_without_a_session_makes_nobody_dead(ping):
    ping.router.links.up(FAR)
    ping.doors.closed(ROUTER)
    assert "cannot be asked now" in await ping.status()


async def test_connection_that_ends_meanwhile_makes_nobody_dead(ping):
    await ping.router.stop()
    assert isinstance(await ping.status(), str)


async def test_refusal_of_the_router_is_told_in_its_words(ping):
    said = (await ping.ask(address="nobody.test")).blinds
    assert said == []  # it is asked by its number
    ping.probe.ask(
        target_of(Host.model_validate(FAR_HOST), "not-an-address", PROBE_POLICIES["standard"]),
        9,
        1.0,
        asker := RecordingAsker(),
    )
    await asker.until(1, 10)
    assert "invalid value" in asker.blinds[0][1]


async def test_host_without_a_router_says_what_to_do(ping):
    assert "give it one" in (await ping.ask(via_router=None)).blinds[0][1]


async def test_netwatch_that_says_down_is_a_loss_as_soon_as_it_says_so(netwatch):
    netwatch.router.links.up(FAR)
    netwatch.router.menu("/tool/netwatch").add(host=FAR, interval="1s", timeout="500ms")
    assert "not tested" in await netwatch.status()
    await netwatch.until_status(None)
    netwatch.router.links.down(FAR)
    await netwatch.until_status(ProbeFailure.REPORTED)
    netwatch.router.links.up(FAR)
    await netwatch.until_status(None)


async def test_entry_that_is_missing_or_disabled_says_what_to_do(netwatch):
    session = netwatch.doors.session(ROUTER)
    assert "no entry for 10.66.0.9: add one" in await netwatch.status()
    item = await session.add("/tool/netwatch", {"host": FAR, "disabled": "yes"})
    while "no entry" in (said := await netwatch.status()):
        pass
    assert "disabled: enable it" in said
    await session.remove("/tool/netwatch", item)
    while "no entry" not in await netwatch.status():
        pass


async def test_netwatch_of_a_router_that_is_away_makes_nobody_dead(netwatch):
    netwatch.router.links.up(FAR)
    netwatch.router.menu("/tool/netwatch").add(host=FAR, interval="1s")
    await netwatch.until_status(None)
    netwatch.doors.closed(ROUTER)
    assert "cannot be asked now" in await netwatch.status()


async def test_while_the_router_cannot_be_asked_its_own_scripts_count(netwatch):
    now = SystemClock().now
    netwatch.doors.closed(ROUTER)
    netwatch.heard.host_said(ROUTER, FAR, up=False, at=now())
    assert await netwatch.status() is ProbeFailure.REPORTED
    netwatch.heard.host_said(ROUTER, FAR, up=True, at=now())
    assert await netwatch.status() is None
    netwatch.heard.host_said(ROUTER, FAR, up=False, at=now() - BELIEVED_FOR - timedelta(seconds=1))
    assert "cannot be asked now" in await netwatch.status()


async def test_what_scripts_said_before_the_table_was_read_is_no_news_when_the_router_goes_away(netwatch):
    netwatch.heard.host_said(ROUTER, FAR, up=False, at=SystemClock().now())
    netwatch.router.links.up(FAR)
    netwatch.router.menu("/tool/netwatch").add(host=FAR, interval="1s")
    await netwatch.until_status(None)
    netwatch.doors.closed(ROUTER)
    assert "cannot be asked now" in await netwatch.status()
    netwatch.heard.host_said(ROUTER, FAR, up=False, at=SystemClock().now())
    assert await netwatch.status() is ProbeFailure.REPORTED
