"""The poller as it runs, on a real bus with a lab router: hosts of the new kinds, and questions to the router."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from deploy.local.nats_server import NatsServer
from lab.routers import Personality, VirtualRouter
from lab.routers.behaviour.interfaces import add_ethernet
from services.poller.adapters.http import tls_context
from services.poller.main import build
from services.poller.settings import PollerSettings
from shared.bus.nats import NatsBus
from shared.bus.ports import Bucket
from shared.contracts import live
from shared.contracts.events import Event, HostDegraded, HostDown, HostRestored, HostUp, RouterReachable
from shared.contracts.ids import HostId, RouterId, SiteId
from shared.contracts.inventory import Host, HttpCheck, Router
from shared.contracts.queries import PingTarget
from shared.contracts.streams import EVENTS, INVENTORY_BUCKET
from shared.contracts.vocabulary import LikelyCause, ProbeFailure, ProbeKind
from shared.errors import DeadlineExceeded
from shared.lifecycle import running
from shared.security.sealing import ROUTER_PASSWORD, KeyRing, generate_key
from tests.support.pages import Authority, page, web_server
from tests.support.waiting import until

KEYS = generate_key()
ROUTER = RouterId("01r0ut")
FAR = "10.66.0.9"
WITHIN_S = 40  # a second policy, and a new host needs two bursts


@dataclass
class Desk:
    router: VirtualRouter
    bus: NatsBus
    inventory: Bucket
    events: list[Event] = field(default_factory=list)

    async def watch(self, name: str, **fields: object) -> None:
        host = Host.model_validate({"id": name, "site_id": "waru", "name": name, "policy": "infra", **fields})
        await self.inventory.put(host.key(), host.model_dump_json().encode())

    def of(self, kind: type[Event], host_id: str = "") -> list[Event]:
        return [one for one in self.events if isinstance(one, kind) and host_id in ("", getattr(one, "host_id", ""))]

    async def listen(self) -> None:
        async for received in self.bus.read(EVENTS, after_sequence=0):
            if received is not None:
                self.events.append(received.message)


ANY_ROUTER = pytest.mark.parametrize("desk", ["7.16.2"], indirect=True)  # what is proved does not touch it


@pytest.fixture(params=["6.49.18", "7.16.2"])
async def desk(request, nats_url: str, shared_nats_server: NatsServer) -> AsyncIterator[Desk]:
    settings = PollerSettings(nats_url=shared_nats_server.url("poller"), seal_keys=KEYS)
    async with (
        VirtualRouter(Personality(request.param), "waru-gw", password="rahasia") as router,
        NatsBus.connect(nats_url, name="desk", source="desk") as bus,
    ):
        add_ethernet(router, "ether1", "48:8F:5A:00:00:01")
        router.menu("/ip/address").add(address="10.5.0.1/24", interface="ether1", comment="uplink")
        here = Desk(router, bus, await bus.bucket(INVENTORY_BUCKET))
        entry = Router(
            id=ROUTER,
            site_id=SiteId("waru"),
            name="waru-gw",
            host="127.0.0.1",
            port=router.port,
            username="admin",
            sealed_password=KeyRing.parse(KEYS).seal("rahasia", purpose=ROUTER_PASSWORD),
        )
        await here.inventory.put(entry.key(), entry.model_dump_json().encode())
        listening = asyncio.create_task(here.listen())
        async with build(settings) as service, running(service):
            await until(lambda: here.of(RouterReachable))
            yield here
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def test_netwatch_of_a_router_makes_a_host_down_and_up(desk):
    desk.router.links.up(FAR)
    desk.router.menu("/tool/netwatch").add(host=FAR, interval="1s")
    await desk.watch("ap-jauh", address=FAR, probe=ProbeKind.NETWATCH, via_router=ROUTER)
    await until(lambda: desk.of(HostUp, "ap-jauh"), within_s=WITHIN_S)
    desk.router.links.down(FAR)
    [down] = await until(lambda: desk.of(HostDown, "ap-jauh"), within_s=WITHIN_S)
    assert down.failure is ProbeFailure.REPORTED
    desk.router.links.up(FAR)
    await until(lambda: len(desk.of(HostUp, "ap-jauh")) == 2, within_s=WITHIN_S)


async def test_host_that_only_the_router_reaches(desk):
    desk.router.links.up(FAR, rtt_s=0.02)
    await desk.watch("ap-jauh", address=FAR, probe=ProbeKind.ROUTER, via_router=ROUTER)
    [up] = await until(lambda: desk.of(HostUp, "ap-jauh"), within_s=WITHIN_S)
    assert up.rtt_ms == pytest.approx(20, abs=2)
    report = await desk.bus.request(PingTarget(target=FAR, host_id=HostId("ap-jauh"), count=2))
    assert report.received == 2
    desk.router.links.down(FAR)
    await until(lambda: desk.of(HostDown, "ap-jauh"), within_s=WITHIN_S)


@ANY_ROUTER
async def test_page_that_lost_its_text_is_down_with_that_reason(desk):
    shown = ["Ronda jaga"]
    async with web_server(lambda _: page(shown[0])) as port:
        check = HttpCheck(url=f"http://portal.test:{port}/", text="Ronda")
        await desk.watch("portal", address="127.0.0.1", probe=ProbeKind.HTTP, http=check)
        await until(lambda: desk.of(HostUp, "portal"), within_s=WITHIN_S)
        shown[0] = "Database error"
        [down] = await until(lambda: desk.of(HostDown, "portal"), within_s=WITHIN_S)
    assert (down.failure, down.likely_causes) == (ProbeFailure.TEXT_MISSING, (LikelyCause.SERVICE_ERROR,))


async def test_question_reaches_the_router_through_its_one_connection(desk):
    answer = await desk.bus.request(live.ListAddresses(router_id=ROUTER))
    assert [row.address for row in answer.rows] == ["10.5.0.1/24"]
    assert desk.router.server.connections == 1
    nobody = live.ListAddresses(router_id=RouterId("01nobody"))
    with pytest.raises(DeadlineExceeded):
        await desk.bus.request(nobody, deadline=timedelta(seconds=0.3))


@ANY_ROUTER
async def test_certificate_that_ends_soon_degrades_the_host_and_a_new_one_restores_it(desk, tmp_path, monkeypatch):
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    tls_context.cache_clear()
    check = HttpCheck(url="https://portal.test/", certificate_days=14)
    async with web_server(lambda _: page(), authority.context(days=9)) as port:
        check = check.model_copy(update={"url": f"https://portal.test:{port}/"})
        await desk.watch("portal", address="127.0.0.1", probe=ProbeKind.HTTP, http=check)
        [degraded] = await until(lambda: desk.of(HostDegraded, "portal"), within_s=WITHIN_S)
        await until(lambda: desk.of(HostUp, "portal"), within_s=WITHIN_S)
    assert degraded.words.startswith("the certificate ends on 20")
    async with web_server(lambda _: page(), authority.context(days=90)) as port:
        check = check.model_copy(update={"url": f"https://portal.test:{port}/"})
        await desk.watch("portal", address="127.0.0.1", probe=ProbeKind.HTTP, http=check)
        await until(lambda: desk.of(HostRestored, "portal"), within_s=WITHIN_S)
    tls_context.cache_clear()
