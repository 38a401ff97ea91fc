"""The whole lab running: chat servers, hosts, routers, customers and the pages, started and stopped together."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lab.chats.desk import ChatDesk
from lab.chats.telegram import Limits, Person, TelegramServer
from lab.chats.threads import Threads
from lab.chats.whatsapp import Business, CloudServer, Contacts, GatewayServer, Template
from lab.control.customers import Customer, Customers
from lab.control.furnish import build_router
from lab.hosts import Host, HostFarm
from lab.provider import BOT_TOKEN, PlannedRouter, make_provider, profiles
from lab.routers import Link, LinkMap, VirtualRouter

PHONE_ID, WABA_ID = "106540352242922", "102290129340398"
CLOUD_TOKEN = "EAAG-lab-system-user-token"  # noqa: S105 - of a business that exists only in the lab
APP_SECRET = "lab-app-secret-of-the-night-watch"  # noqa: S105
VERIFY_TOKEN = "lab-verify-token"  # noqa: S105
TEMPLATES = (
    Template("noc_alert", "id", "{{1}}\n{{2}}\nBalas untuk menanggapi.", ("Terima",)),
    Template("noc_alert", "en", "{{1}}\n{{2}}\nReply to act on it.", ("Acknowledge",)),
    Template("subscriber_notice", "id", "{{1}}\n{{2}}"),
    Template("subscriber_notice", "en", "{{1}}\n{{2}}"),
)


@dataclass(frozen=True)
class LabSettings:
    """How the lab runs; ports 0 take free ones."""

    listen: str = "127.0.0.1"
    control_port: int = 0
    telegram_port: int = 0
    whatsapp_port: int = 0
    gateway_port: int = 0
    seed: int = 1
    hosts: int = 20
    subscribers: int = 60
    pace: float = 1.0
    host_kind: str = "auto"
    strict: bool = True
    """Whether rate limits are enforced."""
    addresses: Path | None = None
    """File that says where everything is while the lab runs; None writes none."""
    whatsapp: str = "cloud"
    """Which WhatsApp the variables of a product under test name: cloud or gateway."""


class Lab:
    """One running lab."""

    def __init__(self, settings: LabSettings) -> None:
        self.settings = settings
        self.provider = make_provider(settings.seed, settings.hosts, settings.subscribers)
        self.threads = Threads()
        self.telegram = TelegramServer(self.threads, limits=Limits(enabled=settings.strict))
        self.contacts = Contacts()
        business = Business(
            self.threads,
            self.contacts,
            PHONE_ID,
            WABA_ID,
            "+62 811-3000-900",
            "Guyub Net",
            CLOUD_TOKEN,
            APP_SECRET,
            templates={(t.name, t.language): t for t in TEMPLATES},
        )
        business.strictness.pair_rate = business.strictness.throughput = settings.strict
        self.cloud = CloudServer(business)
        self.gateway = GatewayServer(self.threads, self.contacts, "081130009009", "Gateway kantor")
        self.desk = ChatDesk(self.telegram, self.cloud, self.gateway)
        self.farm = HostFarm([h.name for h in self.provider.hosts], settings.host_kind)
        self.links = LinkMap()
        self.routers: dict[str, VirtualRouter] = {}
        self.router_faults: dict[str, str] = {}
        """What is wrong with a router now, in a word."""
        self.watchers: list[Callable[[], None]] = []
        self._people()
        self.customers = Customers(self._routers(), settings.pace, settings.seed, self.changed)
        self._stack = contextlib.AsyncExitStack()

    def changed(self) -> None:
        """Tell whoever shows the lab that something is different now."""
        for watcher in self.watchers:
            watcher()

    def _people(self) -> None:
        self.telegram.add_bot(BOT_TOKEN, "guyub_ronda_bot", "Ronda")
        people = [c for c in self.provider.chats if c.channel == "telegram" and c.kind == "private"]
        made = [_person(c.id, c.title, c.language) for c in people]
        for person, chat in zip(made, people, strict=True):
            self.telegram.add_person(person, started=chat.role != "stranger")
        for chat in self.provider.chats:
            if chat.channel == "telegram" and chat.kind != "private":
                forum = chat.kind == "supergroup"
                state = "administrator" if forum else "member"
                self.telegram.add_group(
                    int(chat.id), chat.title, made[:2], kind=chat.kind, forum=forum, bot_state=state
                )
            elif chat.channel == "whatsapp":
                contact = self.contacts.add(chat.id, chat.title, window_open=True)
                self.cloud.business.thread_of(contact)
            elif chat.channel == "gateway":
                self.gateway.add_contact(chat.id, chat.title)
        for subscriber in self.provider.subscribers:
            self.contacts.add(subscriber.phone, subscriber.name)

    def _routers(self) -> list[Customer]:
        customers: list[Customer] = []
        for number, plan in enumerate(self.provider.routers, 1):
            mine = [s for s in self.provider.subscribers if s.router == plan.name]
            router = build_router(plan, number, mine, self.links)
            self.routers[plan.name] = router
            customers += [Customer(subscriber, router) for subscriber in mine]
        return customers

    async def start(self) -> None:
        """Start everything; what was started is stopped again when something fails."""
        settings = self.settings
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self.telegram.stop)
            await self.telegram.start(settings.listen, settings.telegram_port)
            stack.push_async_callback(self.cloud.stop)
            await self.cloud.start(settings.listen, settings.whatsapp_port)
            stack.push_async_callback(self.gateway.stop)
            await self.gateway.start(settings.listen, settings.gateway_port)
            stack.push_async_callback(self.farm.stop)
            await self.farm.start()
            for host in self.farm.hosts.values():
                self._follow(host)
                host.watchers.append(self._follow)
            for router in self.routers.values():
                stack.push_async_callback(router.stop)
                await router.start(settings.listen, 0, tls_port=0)
            stack.push_async_callback(self.customers.stop)
            await self.customers.start()
            self._stack = stack.pop_all()

    async def stop(self) -> None:
        """Stop everything, last started first."""
        if self.settings.addresses is not None:
            self.settings.addresses.unlink(missing_ok=True)
        await self._stack.aclose()

    def _follow(self, host: Host) -> None:
        """Routers that ping a host see the same as the product."""
        up = host.state != "cut"
        self.links.put(host.address, Link(up, 0.002 + host.delay_ms / 1000, loss=host.loss))
        self.changed()

    def planned(self, router: str) -> PlannedRouter:
        """The plan of a router; raises KeyError."""
        return next(plan for plan in self.provider.routers if plan.name == router)

    def inventory(self) -> dict[str, Any]:
        """What a demo tells the product: sites, routers, hosts, profiles, subscribers and chats."""
        hosts = []
        for plan in self.provider.hosts:
            host = self.farm.hosts[plan.name]
            row = asdict(plan) | {"address": host.address, "probe": host.kind}
            hosts.append(row | ({"port": host.port} if host.port else {}))
        routers = []
        for planned in self.provider.routers:
            router = self.routers[planned.name]
            where = {"host": self.settings.listen, "port": router.port, "tls_port": router.tls_port}
            routers.append(asdict(planned) | where)
        return {
            "provider": self.provider.name,
            "sites": [asdict(site) for site in self.provider.sites],
            "routers": routers,
            "hosts": hosts,
            "profiles": profiles(),
            "subscribers": [asdict(subscriber) for subscriber in self.provider.subscribers],
            "chats": [asdict(chat) for chat in self.provider.chats if chat.role != "stranger"],
        }

    def addresses(self, control: str) -> dict[str, Any]:
        """Where everything is; written to lab.json."""
        return {
            "pid": os.getpid(),
            "control": control,
            "chats": f"{control}/chats",
            "control_url": control,
            "chats_url": f"{control}/chats",
            "inventory": f"{control}/lab/api/inventory",
            "telegram": {"url": self.telegram.url, "token": BOT_TOKEN, "username": "guyub_ronda_bot"},
            "whatsapp": {
                "url": self.cloud.url,
                "version": "v23.0",
                "phone_number_id": PHONE_ID,
                "business_account_id": WABA_ID,
                "token": CLOUD_TOKEN,
                "app_secret": APP_SECRET,
                "verify_token": VERIFY_TOKEN,
                "template": "noc_alert",
            },
            "gateway": {"url": self.gateway.url, "path": "/send-message"},
            "routers": {name: router.port for name, router in self.routers.items()},
            "hosts": self.farm.kind,
            "environment": self._environment(),
        }

    def _environment(self) -> dict[str, str]:
        """Variables that point a product under test at these chat servers."""
        variables = {
            "RONDA_TELEGRAM_TOKEN": BOT_TOKEN,
            "RONDA_TELEGRAM_API_URL": self.telegram.url,
            "RONDA_WHATSAPP_DRIVER": self.settings.whatsapp,
            "RONDA_WHATSAPP_VERIFY_TOKEN": VERIFY_TOKEN,
        }
        if self.settings.whatsapp == "gateway":
            return variables | {"RONDA_WHATSAPP_URL": self.gateway.url, "RONDA_WHATSAPP_GAP_S": "0"}
        return variables | {
            "RONDA_WHATSAPP_URL": self.cloud.url,
            "RONDA_WHATSAPP_VERSION": "v23.0",
            "RONDA_WHATSAPP_PHONE_ID": PHONE_ID,
            "RONDA_WHATSAPP_TOKEN": CLOUD_TOKEN,
            "RONDA_WHATSAPP_APP_SECRET": APP_SECRET,
            "RONDA_WHATSAPP_TEMPLATE": "noc_alert",
        }

    def write_addresses(self, control: str) -> Path | None:
        """The file of addresses, put there in one move; None when none is wanted."""
        wanted = self.settings.addresses
        if wanted is None:
            return None
        wanted.parent.mkdir(parents=True, exist_ok=True)
        fresh = wanted.with_name(wanted.name + ".new")
        fresh.write_text(json.dumps(self.addresses(control), indent=2) + "\n")
        return fresh.replace(wanted)


def _person(number: str, title: str, language: str) -> Person:
    first, _, last = title.partition(" ")
    return Person(int(number), first, last, first.lower() + number[-3:], language)
