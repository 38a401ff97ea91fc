"""The virtual provider on paper: sites, routers, hosts, subscribers and chats, the same for the same seed.

Nothing here runs. `lab/control/running.py` builds it, and its inventory as JSON is what a demo feeds to the product.
"""

from __future__ import annotations

import ipaddress
import random
from dataclasses import dataclass
from typing import Any

from lab import names

BOT_TOKEN = "7012345678:AAF-lab_bot_of_the_night_watch_01"  # noqa: S105 - of a bot that exists only in the lab
TIME_ZONE = "Asia/Jakarta"


@dataclass(frozen=True)
class Site:
    """A district."""

    id: str
    name: str
    latitude: float
    longitude: float


@dataclass(frozen=True)
class PlannedRouter:
    """A MikroTik of the provider."""

    name: str
    site: str
    version: str
    board: str
    user: str
    password: str
    pppoe_pool: str
    hotspot_pool: str


@dataclass(frozen=True)
class PlannedHost:
    """Something to be watched; `parents` are names of hosts that it hangs on."""

    name: str
    title: str
    site: str
    parents: tuple[str, ...]


@dataclass(frozen=True)
class Subscriber:
    """A customer: hotspot or pppoe."""

    id: str
    name: str
    user: str
    password: str
    service: str
    router: str
    site: str
    profile: str
    mac: str
    address: str
    phone: str
    language: str


@dataclass(frozen=True)
class Chat:
    """A chat that the product is told about; `id` is what its channel calls it."""

    channel: str
    id: str
    kind: str
    title: str
    language: str
    role: str
    time_zone: str = TIME_ZONE


@dataclass(frozen=True)
class Provider:
    """All of it."""

    seed: int
    name: str
    sites: tuple[Site, ...]
    routers: tuple[PlannedRouter, ...]
    hosts: tuple[PlannedHost, ...]
    subscribers: tuple[Subscriber, ...]
    chats: tuple[Chat, ...]

    def subscriber(self, user: str) -> Subscriber | None:
        """The subscriber with this user name, if any."""
        return next((one for one in self.subscribers if one.user == user), None)


def make_provider(seed: int = 1, hosts: int = 20, subscribers: int = 60) -> Provider:
    """Draw a provider; raises ValueError for sizes below one host."""
    if hosts < 1 or subscribers < 0:
        raise ValueError("a provider needs at least one host")
    dice = random.Random(seed)  # noqa: S311 - a game, repeatable by seed
    sites = tuple(Site(*row) for row in names.SITES)
    routers = tuple(_router(row, dice) for row in names.ROUTERS)
    return Provider(
        seed,
        "Guyub Net",
        sites,
        routers,
        _hosts(sites, hosts),
        tuple(_subscribers(routers, subscribers, dice)),
        CHATS,
    )


CHATS = (
    Chat("telegram", "-4021987001", "group", "NOC Guyub Net", "id", "noc"),
    Chat("telegram", "-1002198700222", "supergroup", "Live chat pelanggan", "id", "desk"),
    Chat("telegram", "612880011", "private", "Sari Wulandari", "id", "noc"),
    Chat("telegram", "612880022", "private", "David Pratama", "en", "owner"),
    Chat("telegram", "612880033", "private", "Orang asing", "id", "stranger"),
    Chat("whatsapp", "6281330009011", "private", "Hendra Gunawan", "id", "noc"),
    Chat("gateway", "6281330009012", "private", "Pos ronda RT 07", "id", "noc"),
)
"""Role stranger: exists, but the product is not told about it."""


def _router(row: tuple[str, str, str, str, str, str], dice: random.Random) -> PlannedRouter:
    name, site, version, board, pppoe_pool, hotspot_pool = row
    return PlannedRouter(name, site, version, board, "ronda", _password(dice, 14), pppoe_pool, hotspot_pool)


def _password(dice: random.Random, length: int) -> str:
    return "".join(dice.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(length))


def _hosts(sites: tuple[Site, ...], wanted: int) -> tuple[PlannedHost, ...]:
    """Core first, then round the sites: a tower, below it an OLT, below them what stands in the streets."""
    made = [PlannedHost(name, title, site, ()) for name, title, site in names.CORE]
    made[1:] = [PlannedHost(h.name, h.title, h.site, (made[0].name,)) for h in made[1:]]
    number = 0
    while len(made) < wanted:
        site = sites[number % len(sites)]
        turn = number // len(sites)
        made.append(_device(site, turn))
        number += 1
    return tuple(made[:wanted])


def _device(site: Site, turn: int) -> PlannedHost:
    if turn == 0:
        return PlannedHost(f"tower-{site.id}", f"Tower {site.name}", site.id, ("core-1",))
    if turn == 1:
        return PlannedHost(f"olt-{site.id}", f"OLT {site.name}", site.id, (f"tower-{site.id}",))
    kind, title = names.DEVICES[2 + (turn - 2) % (len(names.DEVICES) - 2)]
    number = turn - 1
    parent = f"olt-{site.id}" if turn % 2 else f"tower-{site.id}"
    return PlannedHost(
        f"{kind}-{site.id}-{number:02d}", title.format(site=site.name, number=number), site.id, (parent,)
    )


def _subscribers(routers: tuple[PlannedRouter, ...], wanted: int, dice: random.Random) -> list[Subscriber]:
    """Two of three dial by PPPoE, the others have vouchers; user names and numbers are never drawn twice."""
    users: set[str] = set()
    phones: set[str] = set()
    made: list[Subscriber] = []
    for number in range(wanted):
        router = routers[number % len(routers)]
        service = "hotspot" if number // len(routers) % 3 == 2 else "pppoe"
        first, last = dice.choice(names.MEN + names.WOMEN), dice.choice(names.FAMILY)
        user = _unused(users, first.lower(), router.site, dice)
        profiles = names.HOTSPOT_PROFILES if service == "hotspot" else names.PROFILES
        pool = router.hotspot_pool if service == "hotspot" else router.pppoe_pool
        address = ipaddress.IPv4Network(pool)[10 + number // len(routers)]
        made.append(
            Subscriber(
                f"plg-{number + 1:04d}",
                f"{first} {last}",
                user,
                _password(dice, 8),
                service,
                router.name,
                router.site,
                dice.choice(profiles)[0],
                _mac(dice),
                str(address),
                _phone(phones, dice),
                "en" if number % 10 == 9 else "id",
            )
        )
    return made


def _unused(users: set[str], first: str, site: str, dice: random.Random) -> str:
    user = f"{first}@{site}"
    while user in users:
        user = f"{first}{dice.randint(2, 999)}@{site}"
    users.add(user)
    return user


def _mac(dice: random.Random) -> str:
    tail = ":".join(f"{dice.randrange(256):02X}" for _ in range(3))
    return f"{dice.choice(names.MAC_PREFIXES)}:{tail}"


def _phone(phones: set[str], dice: random.Random) -> str:
    while True:
        phone = f"{dice.choice(names.PHONE_PREFIXES)}{dice.randrange(10**7, 10**8)}"
        if phone not in phones:
            phones.add(phone)
            return phone


def profiles() -> list[dict[str, Any]]:
    """The plans that are sold: name, service, rate limit (up/down), price in rupiah."""
    return [
        {"name": name, "service": service, "rate_limit": rate, "price": price}
        for service, rows in (("pppoe", names.PROFILES), ("hotspot", names.HOTSPOT_PROFILES))
        for name, rate, price in rows
    ]
