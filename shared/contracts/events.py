"""Events: facts in the past tense. The class has the same words as the subject.

An event whose id is made from its subject and a counter can be said twice without anybody noticing: the stream drops
the second (within its window) and every consumer remembers the id.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from shared.contracts.ids import AccountId, ChatId, HostId, IncidentId, RouterId, SiteId
from shared.contracts.message import Message
from shared.contracts.subjects import Kind
from shared.contracts.vocabulary import (
    Channel,
    HostState,
    LikelyCause,
    ProbeFailure,
    Service,
    Severity,
)

_AT = "2026-11-20T14:04:17Z"


class Event(Message):
    """Something that is now true, at `at` by the best clock that saw it."""

    KIND: ClassVar[Kind] = Kind.EVENT

    at: datetime


class HostTransition(Event):
    """A change of a host's hard state. `transition` counts them per host and makes the event's id."""

    SCOPE: ClassVar[tuple[str, ...]] = ("site_id", "host_id")

    host_id: HostId
    host_name: str
    address: str
    site_id: SiteId
    site_name: str
    policy: str
    transition: int
    previous: HostState

    def message_id(self) -> str:
        return f"host:{self.host_id}:{self.transition}"


_HOST = {
    "at": _AT,
    "host_id": "01h0st",
    "host_name": "core-1",
    "address": "10.20.0.1",
    "site_id": "01s1te",
    "site_name": "Waru",
    "policy": "infra",
    "transition": 3,
}


class HostDown(HostTransition):
    """A host stopped answering: every probe of its confirmation burst was lost. `since` is the first loss."""

    NAME: ClassVar[str] = "host.down"
    EXAMPLE: ClassVar[dict[str, Any]] = {
        **_HOST,
        "previous": "up",
        "since": "2026-11-20T14:04:16Z",
        "failure": "timeout",
        "likely_causes": ["cable_cut", "device_off"],
    }

    since: datetime
    failure: ProbeFailure
    likely_causes: tuple[LikelyCause, ...] = ()
    parents_down: tuple[HostId, ...] = ()


class HostUp(HostTransition):
    """A host answers again, or for the first time (`previous` unknown, no outage)."""

    NAME: ClassVar[str] = "host.up"
    EXAMPLE: ClassVar[dict[str, Any]] = {
        **_HOST,
        "transition": 4,
        "previous": "down",
        "down_since": "2026-11-20T14:02:00Z",
        "outage_s": 137.0,
        "rtt_ms": 1.8,
    }

    down_since: datetime | None = None
    outage_s: float | None = None
    rtt_ms: float | None = None


class HostUnknown(HostTransition):
    """Nobody could ask this host for too long: it is unknown, not down."""

    NAME: ClassVar[str] = "host.unknown"
    EXAMPLE: ClassVar[dict[str, Any]] = {**_HOST, "previous": "up", "reason": "no result for 8 s"}

    reason: str


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
    "at": _AT,
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
    inferred: bool = False  # found by comparison after a blind time, not seen happening


_SESSION = {
    "at": _AT,
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
        "reason": "keepalive timeout",
    }

    opened_at: datetime | None = None
    duration_s: float | None = None
    bytes_in: int | None = None  # from the subscriber
    bytes_out: int | None = None  # to the subscriber
    reason: str | None = None

    def message_id(self) -> str:
        return f"session:{self.session_id}:closed"


class AccountEvent(Event):
    """What became of one generation of a desired account."""

    SCOPE: ClassVar[tuple[str, ...]] = ("router_id", "account_id")

    account_id: AccountId
    router_id: RouterId
    service: Service
    name: str
    generation: int


_ACCOUNT = {
    "at": _AT,
    "account_id": "01acc0",
    "router_id": "01r0ut",
    "service": "ppp",
    "name": "budi@paket10",
    "generation": 2,
}


class AccountApplied(AccountEvent):
    """The router now has the account as desired. `steps` tells what had to be done; none when all was so already."""

    NAME: ClassVar[str] = "account.applied"
    EXAMPLE: ClassVar[dict[str, Any]] = {
        **_ACCOUNT,
        "steps": ["set profile=paket10", "disconnect session"],
        "took_ms": 84.0,
    }

    steps: tuple[str, ...] = ()
    took_ms: float

    def message_id(self) -> str:
        return f"account:{self.account_id}:{self.generation}:applied"


class AccountFailed(AccountEvent):
    """The router refused this generation. Nothing is tried again until a newer one comes."""

    NAME: ClassVar[str] = "account.failed"
    EXAMPLE: ClassVar[dict[str, Any]] = {
        **_ACCOUNT,
        "code": "rejected",
        "router_words": "input does not match any value of profile",
        "advice": "The router waru-gw has no profile «paket99».",
    }

    code: str
    router_words: str
    advice: str

    def message_id(self) -> str:
        return f"account:{self.account_id}:{self.generation}:failed"


class AlertEvent(Event):
    """A change of an alert. `sequence` counts what happened to the incident."""

    SCOPE: ClassVar[tuple[str, ...]] = ("site_id", "incident_id")

    incident_id: IncidentId
    number: int  # what people call it: #4821
    site_id: SiteId
    alert_kind: str
    object_id: str
    object_name: str
    severity: Severity
    sequence: int

    def message_id(self) -> str:
        return f"alert:{self.incident_id}:{self.sequence}"


_ALERT = {
    "at": _AT,
    "incident_id": "01inc1",
    "number": 4821,
    "site_id": "01s1te",
    "alert_kind": "host.down",
    "object_id": "01h0st",
    "object_name": "core-1",
    "severity": "critical",
    "sequence": 1,
}


class AlertOpened(AlertEvent):
    """A problem that somebody has to know of. `told` names the chats that hear of it at once."""

    NAME: ClassVar[str] = "alert.opened"
    EXAMPLE: ClassVar[dict[str, Any]] = {**_ALERT, "told": ["NOC Waru", "Sari"]}

    told: tuple[str, ...] = ()


class AlertAcknowledged(AlertEvent):
    """A person took the problem on."""

    NAME: ClassVar[str] = "alert.acknowledged"
    EXAMPLE: ClassVar[dict[str, Any]] = {**_ALERT, "sequence": 2, "by": "Sari"}

    by: str


class AlertResolved(AlertEvent):
    """The problem is over."""

    NAME: ClassVar[str] = "alert.resolved"
    EXAMPLE: ClassVar[dict[str, Any]] = {**_ALERT, "sequence": 3, "outage_s": 137.0}

    outage_s: float


class ChatRefused(Event):
    """Somebody who is not registered wrote to the bot and was refused."""

    NAME: ClassVar[str] = "chat.refused"
    SCOPE: ClassVar[tuple[str, ...]] = ("channel", "address")
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "at": _AT,
        "channel": "telegram",
        "address": "990001",
        "name": "Orang Asing",
        "command": "ping",
    }

    channel: Channel
    address: str
    name: str
    command: str


class ChatUnusable(Event):
    """A chat cannot be written to any more (blocked, kicked, gone); it is switched off until a person mends it."""

    NAME: ClassVar[str] = "chat.unusable"
    SCOPE: ClassVar[tuple[str, ...]] = ("channel", "chat_id")
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "at": _AT,
        "chat_id": "01chat",
        "channel": "telegram",
        "reason": "Forbidden: bot was blocked by the user",
    }

    chat_id: ChatId
    channel: Channel
    reason: str


class ChatMoved(Event):
    """A chat has another address at its channel now (a Telegram group became a supergroup)."""

    NAME: ClassVar[str] = "chat.moved"
    SCOPE: ClassVar[tuple[str, ...]] = ("channel", "chat_id")
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "at": _AT,
        "chat_id": "01chat",
        "channel": "telegram",
        "old_address": "-4242",
        "new_address": "-1001234567890",
    }

    chat_id: ChatId
    channel: Channel
    old_address: str
    new_address: str


class InventoryChanged(Event):
    """A site, router, host, chat or account was added, changed or removed by a person or a program."""

    NAME: ClassVar[str] = "inventory.changed"
    SCOPE: ClassVar[tuple[str, ...]] = ("entity", "entity_id")
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "at": _AT,
        "entity": "router",
        "entity_id": "01r0ut",
        "change": "added",
        "by": "sari",
    }

    entity: str
    entity_id: str
    change: str  # added, changed, removed
    by: str
