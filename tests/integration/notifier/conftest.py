"""The notifier as it runs, between a real bus, a real database and the lab's chat servers."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from deploy.local.nats_server import NatsServer
from lab.chats.telegram import Limits, Person, TelegramServer
from lab.chats.threads import Bubble, Threads
from lab.chats.whatsapp import Contacts, GatewayServer
from services.notifier.main import build
from services.notifier.settings import NotifierSettings, WhatsAppDriver
from shared.bus.nats import NatsBus
from shared.bus.ports import Bus
from shared.clock import SystemClock
from shared.contracts.events import HostDown, HostUp
from shared.contracts.ids import ChatId, HostId, RouterId, SiteId
from shared.contracts.inventory import Chat, Host, Router, Site, Subscriber
from shared.contracts.message import Contract
from shared.contracts.streams import INVENTORY_BUCKET
from shared.contracts.vocabulary import Channel, HostState, LikelyCause, ProbeFailure, Role, Service, Subscription
from shared.lifecycle import running
from shared.telemetry.health import HealthServer
from tests.support.waiting import until

TOKEN = "7000000001:AAlab-token-of-the-night-watch"
SARI = Person(6_281_200_001, "Sari", "Wulandari", "sari_noc", "id")
STRANGER = Person(6_281_200_009, "Orang", "Asing", "asing", "en")
GROUP = -4_012_345
GATEWAY_TOKEN = "rahasia-gerbang"
BOTH = frozenset(Subscription)

SITE = Site(id=SiteId("waru"), name="Waru", policy="infra")
HOST = Host(id=HostId("h1"), site_id=SITE.id, name="core-1", address="10.20.0.1", policy="infra")
ROUTER = Router(
    id=RouterId("r1"), site_id=SITE.id, name="waru-gw", host="127.0.0.9", username="ronda", sealed_password="k1.x"
)
SARI_CHAT = Chat(
    id=ChatId("sari"), name="Sari", channel=Channel.TELEGRAM, address=str(SARI.id), role=Role.NOC, receives=BOTH
)
GROUP_CHAT = Chat(
    id=ChatId("noc"),
    name="NOC Waru",
    channel=Channel.TELEGRAM,
    address=str(GROUP),
    role=Role.NOC,
    receives=frozenset({Subscription.ALERTS}),
)
ADMIN_CHAT = Chat(
    id=ChatId("admin"),
    name="Administrator",
    channel=Channel.WHATSAPP,
    address="0857-1111-2222",
    role=Role.OWNER,
    receives=frozenset({Subscription.SESSIONS}),
)
BUDI = Subscriber(
    router_id=ROUTER.id,
    service=Service.HOTSPOT,
    name="budi@paket10",
    full_name="Budi Santoso",
    phone="085733334444",
    time_zone="Asia/Makassar",
)
INVENTORY = (SITE, HOST, ROUTER, SARI_CHAT, GROUP_CHAT, ADMIN_CHAT, BUDI)


def host_down(transition: int = 3, *, ago_s: float = 2.0, host: Host = HOST) -> HostDown:
    at = SystemClock().now() - timedelta(seconds=ago_s)
    return HostDown(
        at=at,
        host_id=host.id,
        host_name=host.name,
        address=host.address,
        site_id=SITE.id,
        site_name=SITE.name,
        policy=host.policy,
        transition=transition,
        previous=HostState.UP,
        since=at - timedelta(seconds=1),
        failure=ProbeFailure.TIMEOUT,
        likely_causes=(LikelyCause.CABLE_CUT, LikelyCause.DEVICE_OFF),
    )


def host_up(down: HostDown, outage_s: float) -> HostUp:
    return HostUp(
        at=down.since + timedelta(seconds=outage_s),
        host_id=down.host_id,
        host_name=down.host_name,
        address=down.address,
        site_id=down.site_id,
        site_name=down.site_name,
        policy=down.policy,
        transition=down.transition + 1,
        previous=HostState.DOWN,
        down_since=down.since,
        outage_s=outage_s,
        rtt_ms=1.8,
    )


@dataclass
class Town:
    """Everything around the notifier."""

    bus: Bus  # as the operator: other services' side
    telegram: TelegramServer
    gateway: GatewayServer
    threads: Threads

    async def publish_inventory(self, *entries: Contract) -> None:
        bucket = await self.bus.bucket(INVENTORY_BUCKET)
        for entry in entries:
            await bucket.put(entry.key(), entry.model_dump_json().encode())  # type: ignore[attr-defined]

    def bubbles(self, thread: str) -> list[Bubble]:
        found = self.threads.get(thread)
        return list(found.bubbles.values()) if found else []

    def from_bot(self, thread: str) -> list[Bubble]:
        return [bubble for bubble in self.bubbles(thread) if bubble.author == "Ronda" and not bubble.service]

    async def heard(self, thread: str, count: int, within_s: float = 20.0) -> list[Bubble]:
        """The bot's messages of a thread, when there are so many."""
        await until(lambda: len(self.from_bot(thread)) >= count, within_s)
        return self.from_bot(thread)


@pytest.fixture
async def town(nats_url: str) -> AsyncIterator[Town]:
    threads = Threads()
    telegram = TelegramServer(threads, limits=Limits(enabled=False))
    telegram.add_bot(TOKEN, "ronda_bot", "Ronda")
    telegram.add_person(SARI, started=True)
    telegram.add_person(STRANGER)
    telegram.add_group(GROUP, "NOC Waru", [SARI])
    contacts = Contacts()
    gateway = GatewayServer(threads, contacts, "6281100001111", "Ronda")
    gateway.add_contact("6285711112222", "Administrator")
    gateway.add_contact("6285733334444", "Budi Santoso")
    await telegram.start()
    await gateway.start()
    try:
        async with NatsBus.connect(nats_url, name="town", source="town") as bus:
            made = Town(bus, telegram, gateway, threads)
            await made.publish_inventory(*INVENTORY)
            yield made
    finally:
        await telegram.stop()
        await gateway.stop()


RunNotifier = Callable[..., AbstractAsyncContextManager[str]]


@pytest.fixture
def run_notifier(town: Town, shared_nats_server: NatsServer, notifier_database_url: str) -> RunNotifier:
    """Start the notifier with the rights that it really has; gives the address of its own HTTP port."""

    @asynccontextmanager
    async def run(**overrides: Any) -> AsyncIterator[str]:
        settings = NotifierSettings(
            **{
                "nats_url": shared_nats_server.url("notifier"),
                "database_url": notifier_database_url,
                "telegram_token": TOKEN,
                "telegram_api_url": town.telegram.url,
                "whatsapp_driver": WhatsAppDriver.GATEWAY,
                "whatsapp_url": town.gateway.url,
                "whatsapp_gap_s": 0,
                "whatsapp_verify_token": GATEWAY_TOKEN,
                **overrides,
            }
        )
        async with contextlib.AsyncExitStack() as stack:
            service = await stack.enter_async_context(build(settings))
            health = HealthServer(settings, service.checks, metrics=service.metrics, routes=service.routes)
            address = await stack.enter_async_context(health.running())
            await stack.enter_async_context(running(service))
            yield address

    return run
