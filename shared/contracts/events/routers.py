"""Routers: whether they can be asked, and what they say of themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from shared.contracts.events.event import EXAMPLE_TIME, Event
from shared.contracts.ids import RouterId, SiteId
from shared.contracts.vocabulary import RouterResource, Saying, Service


class RouterEvent(Event):
    """Something about the connection to a router. `transition` counts per router and makes the event's id."""

    SCOPE: ClassVar[tuple[str, ...]] = ("site_id", "router_id")

    router_id: RouterId
    router_name: str
    site_id: SiteId
    transition: int

    def message_id(self) -> str:
        return f"router:{self.router_id}:{self.transition}"


_ROUTER = {
    "at": EXAMPLE_TIME,
    "router_id": "01r0ut",
    "router_name": "waru-gw",
    "site_id": "01s1te",
    "transition": 7,
}


class RouterReachable(RouterEvent):
    """The router's API answers. What it said of itself at log-in comes along."""

    NAME: ClassVar[str] = "router.reachable"
    EXAMPLE: ClassVar[dict[str, Any]] = {
        **_ROUTER,
        "identity": "waru-gw",
        "version": "7.16.2 (stable)",
        "board": "RB5009UG+S+",
        "uptime_s": 864000,
        "unreachable_since": None,
    }

    identity: str
    version: str
    board: str
    uptime_s: int
    unreachable_since: datetime | None = None


class RouterUnreachable(RouterEvent):
    """The router's API cannot be asked. Its sessions are unknown now, not closed."""

    NAME: ClassVar[str] = "router.unreachable"
    EXAMPLE: ClassVar[dict[str, Any]] = {**_ROUTER, "reason": "connection refused"}

    reason: str


def _about(at: datetime) -> int:
    """The ten minutes in which something was seen: a poller that is killed while it tells sees it again soon after."""
    return round(at.timestamp() / 600)


class RouterObservation(Event):
    """Something that was seen on a router, besides whether it can be asked."""

    SCOPE: ClassVar[tuple[str, ...]] = ("site_id", "router_id")

    router_id: RouterId
    router_name: str
    site_id: SiteId


_SEEN = {key: value for key, value in _ROUTER.items() if key != "transition"}


class RouterRebooted(RouterObservation):
    """The router started anew at `booted_at`, by its own uptime."""

    NAME: ClassVar[str] = "router.rebooted"
    EXAMPLE: ClassVar[dict[str, Any]] = {
        **_SEEN,
        "booted_at": "2026-11-20T14:02:40Z",
        "uptime_before_s": 864000,
        "words": "router rebooted without proper shutdown",
    }

    booted_at: datetime
    uptime_before_s: int | None = None
    words: str = ""  # of its log, where it says why

    def message_id(self) -> str:
        # Uptime has whole seconds and travels: the same start is computed a few seconds apart.
        return f"{self.NAME}:{self.router_id}:{round(self.booted_at.timestamp() / 60)}"


class RouterUpgraded(RouterObservation):
    """The router runs another RouterOS version than when it was seen last."""

    NAME: ClassVar[str] = "router.upgraded"
    EXAMPLE: ClassVar[dict[str, Any]] = {**_SEEN, "version": "7.16.2 (stable)", "version_before": "7.15.3 (stable)"}

    version: str
    version_before: str

    def message_id(self) -> str:
        return f"{self.NAME}:{self.router_id}:{self.version_before}:{self.version}:{_about(self.at)}"


class RouterStressed(RouterObservation):
    """A measured value crossed its limit and stayed there. `part`: which disk, pool or sensor, where there are many."""

    NAME: ClassVar[str] = "router.stressed"
    EXAMPLE: ClassVar[dict[str, Any]] = {
        **_SEEN,
        "resource": "cpu",
        "value": 97.0,
        "limit": 90.0,
        "unit": "%",
        "since": "2026-11-20T13:59:17Z",
    }

    resource: RouterResource
    part: str = ""
    value: float
    limit: float
    unit: str
    since: datetime

    def message_id(self) -> str:
        return f"{self.NAME}:{self.router_id}:{self.resource}:{self.part}:{int(self.since.timestamp())}"


class RouterRelieved(RouterObservation):
    """A value that had crossed its limit is well below it again."""

    NAME: ClassVar[str] = "router.relieved"
    EXAMPLE: ClassVar[dict[str, Any]] = {
        **_SEEN,
        "resource": "cpu",
        "value": 41.0,
        "limit": 90.0,
        "unit": "%",
        "stressed_since": "2026-11-20T13:59:17Z",
    }

    resource: RouterResource
    part: str = ""
    value: float | None = None
    limit: float
    unit: str
    stressed_since: datetime

    def message_id(self) -> str:
        return f"{self.NAME}:{self.router_id}:{self.resource}:{self.part}:{int(self.stressed_since.timestamp())}"


class InterfaceEvent(RouterObservation):
    """An interface of a router. `change` counts what was told of it."""

    interface: str
    interface_type: str = ""
    comment: str = ""
    change: int

    def message_id(self) -> str:
        return f"{self.NAME}:{self.router_id}:{self.interface}:{self.change}"


_INTERFACE = {**_SEEN, "interface": "ether3", "interface_type": "ether", "comment": "to Lereng", "change": 12}


class InterfaceDown(InterfaceEvent):
    """An interface that was running has no link any more."""

    NAME: ClassVar[str] = "router.interface_down"
    EXAMPLE: ClassVar[dict[str, Any]] = _INTERFACE

    inferred: bool = False


class InterfaceUp(InterfaceEvent):
    """An interface has its link again."""

    NAME: ClassVar[str] = "router.interface_up"
    EXAMPLE: ClassVar[dict[str, Any]] = {**_INTERFACE, "change": 13, "down_since": "2026-11-20T14:03:00Z"}

    down_since: datetime | None = None
    inferred: bool = False


class InterfaceWithdrawn(InterfaceEvent):
    """An interface that was told to be down was disabled, renamed or removed: nobody expects its link any more."""

    NAME: ClassVar[str] = "router.interface_withdrawn"
    EXAMPLE: ClassVar[dict[str, Any]] = {**_INTERFACE, "change": 13, "down_since": "2026-11-20T14:03:00Z"}

    down_since: datetime


class NeighborSeen(RouterObservation):
    """A router sees a neighbour that it has not seen before."""

    NAME: ClassVar[str] = "router.neighbor_seen"
    EXAMPLE: ClassVar[dict[str, Any]] = {
        **_SEEN,
        "interface": "ether3",
        "mac": "A4:5E:60:11:22:33",
        "address": "10.20.0.9",
        "identity": "lereng-ap1",
        "board": "RBwAPG-5HacD2HnD",
        "version": "7.16.2",
    }

    interface: str
    mac: str
    address: str | None = None
    identity: str = ""
    board: str = ""
    version: str = ""

    def message_id(self) -> str:
        return f"{self.NAME}:{self.router_id}:{self.mac}:{_about(self.at)}"


class LeaseEvent(RouterObservation):
    """An address that a router's DHCP server gave to a device."""

    server: str
    address: str
    mac: str
    host_name: str = ""
    inferred: bool = False


_LEASE = {**_SEEN, "server": "dhcp-lan", "address": "10.5.0.17", "mac": "A4:5E:60:11:22:33", "host_name": "Galaxy-A14"}


class LeaseBound(LeaseEvent):
    """A device has this address now."""

    NAME: ClassVar[str] = "lease.bound"
    EXAMPLE: ClassVar[dict[str, Any]] = _LEASE


class LeaseReleased(LeaseEvent):
    """The address is free again, or another device's."""

    NAME: ClassVar[str] = "lease.released"
    EXAMPLE: ClassVar[dict[str, Any]] = _LEASE


class RouterSaid(Event):
    """What a script on a router posted: not yet a fact, but what the poller makes facts of, each once.

    `at` is when it was received: the clock of a router may be anywhere, so its own `router_time` is only kept as text.
    """

    NAME: ClassVar[str] = "router.said"
    SCOPE: ClassVar[tuple[str, ...]] = ("router_id",)
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "at": EXAMPLE_TIME,
        "said_id": "01sa1d",
        "router_id": "01r0ut",
        "saying": "logout",
        "service": "hotspot",
        "account": "budi@paket10",
        "address": "10.5.0.17",
        "mac": "A4:5E:60:11:22:33",
        "reason": "keepalive timeout",
        "duration_s": 3857.0,
        "bytes_in": 38105527,
        "bytes_out": 466624487,
    }

    said_id: str
    router_id: RouterId
    saying: Saying
    service: Service | None = None  # of a login or logout
    account: str | None = None  # of a login or logout
    address: str | None = None  # the subscriber's, or the host that netwatch watches
    mac: str | None = None
    interface: str | None = None  # PPP: the router's number for the line, the same at login and logout
    reason: str | None = None
    duration_s: float | None = None
    bytes_in: int | None = None  # from the subscriber
    bytes_out: int | None = None  # to the subscriber
    router_time: str | None = None

    def message_id(self) -> str:
        return f"said:{self.said_id}"
