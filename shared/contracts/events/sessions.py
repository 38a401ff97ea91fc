"""Subscribers on line."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from shared.contracts.events.event import EXAMPLE_TIME, Event
from shared.contracts.ids import RouterId, SiteId
from shared.contracts.vocabulary import DropCause, Service, SessionSource


class SessionEvent(Event):
    """A subscriber's session. `session_id` is ours and the same from opening to closing."""

    SCOPE: ClassVar[tuple[str, ...]] = ("router_id", "account")

    router_id: RouterId
    router_name: str
    site_id: SiteId
    service: Service
    account: str  # the user's name as the router has it
    session_id: str
    address: str | None = None
    mac: str | None = None
    source: SessionSource = SessionSource.ROUTER
    inferred: bool = False  # found by comparison after a blind time, not seen happening


_SESSION = {
    "at": EXAMPLE_TIME,
    "router_id": "01r0ut",
    "router_name": "waru-gw",
    "site_id": "01s1te",
    "service": "hotspot",
    "account": "budi@paket10",
    "session_id": "01r0ut-hotspot-D3080A0A-12",
    "address": "10.5.0.17",
    "mac": "A4:5E:60:11:22:33",
}


class SessionOpened(SessionEvent):
    """A subscriber is on line."""

    NAME: ClassVar[str] = "session.opened"
    EXAMPLE: ClassVar[dict[str, Any]] = _SESSION

    def message_id(self) -> str:
        return f"session:{self.session_id}:opened"


class SessionClosed(SessionEvent):
    """A subscriber's session ended."""

    NAME: ClassVar[str] = "session.closed"
    EXAMPLE: ClassVar[dict[str, Any]] = {
        **_SESSION,
        "opened_at": "2026-11-20T13:00:00Z",
        "duration_s": 3857.0,
        "bytes_in": 38105527,
        "bytes_out": 466624487,
        "bytes_at": "2026-11-20T14:04:15Z",
        "reason": "keepalive timeout",
    }

    opened_at: datetime | None = None
    duration_s: float | None = None
    bytes_in: int | None = None  # from the subscriber
    bytes_out: int | None = None  # to the subscriber
    bytes_at: datetime | None = None  # when the counters were read; None: at the end, or never
    reason: str | None = None  # in the router's words
    drop_id: str | None = None  # one of many that ended together, told as one by `session.mass_dropped`

    def message_id(self) -> str:
        return f"session:{self.session_id}:closed"


class SessionChanged(SessionEvent):
    """A session that stays has another address or device now. `change` counts the changes of the session."""

    NAME: ClassVar[str] = "session.changed"
    EXAMPLE: ClassVar[dict[str, Any]] = {**_SESSION, "change": 1, "address_before": "10.5.0.12"}

    change: int
    address_before: str | None = None
    mac_before: str | None = None

    def message_id(self) -> str:
        return f"session:{self.session_id}:changed:{self.change}"


class MassDropEvent(Event):
    """Many sessions of one router that ended together, told as one thing."""

    SCOPE: ClassVar[tuple[str, ...]] = ("site_id", "router_id")

    router_id: RouterId
    router_name: str
    site_id: SiteId
    drop_id: str
    cause: DropCause
    cause_name: str  # vlan101, the interface's, pool's or router's name

    def message_id(self) -> str:
        return f"{self.NAME}:{self.drop_id}"


_DROP = {
    "at": _SESSION["at"],
    "router_id": "01r0ut",
    "router_name": "waru-gw",
    "site_id": "01s1te",
    "drop_id": "5f2c11",
    "cause": "vlan",
    "cause_name": "vlan101",
}


class SessionsDropped(MassDropEvent):
    """`lost` of the `of` sessions that the cause carried ended within seconds."""

    NAME: ClassVar[str] = "session.mass_dropped"
    EXAMPLE: ClassVar[dict[str, Any]] = {
        **_DROP,
        "since": "2026-11-20T14:04:15Z",
        "lost": 300,
        "of": 312,
        "accounts": ["budi@paket10"],
    }

    since: datetime
    lost: int
    of: int
    accounts: tuple[str, ...] = ()  # the first ones


class SessionsReturned(MassDropEvent):
    """Most of the sessions that ended together are back, or nobody waits for them any more (`back` says)."""

    NAME: ClassVar[str] = "session.mass_returned"
    EXAMPLE: ClassVar[dict[str, Any]] = {**_DROP, "dropped_at": "2026-11-20T14:04:17Z", "back": 296, "lost": 300}

    dropped_at: datetime
    back: int
    lost: int
