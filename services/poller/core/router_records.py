"""What the poller remembers of a router besides whether it can be asked: in the bucket `state` below `seen.<router>.`.

One key per thing that can be told, so that each is told in order and survives a restart and another poller's takeover.
"""

from __future__ import annotations

from datetime import datetime

from services.poller.core.records import Record
from shared.contracts.ids import RouterId
from shared.contracts.subjects import escape_token
from shared.contracts.vocabulary import RouterResource, Threat

SEEN = "seen."


class InterfaceRecord(Record):
    """An interface that runs, or that was told to be down; `order` is the number of its last told change."""

    name: str
    running: bool
    since: datetime


class LeaseRecord(Record):
    """A bound lease; `order` is when it was noted, in seconds since 1970. Deleted when the lease ends."""

    address: str
    mac: str
    server: str = ""
    host_name: str = ""
    since: datetime


class LeasesRecord(Record):
    """The leases of this router have been looked at: from now on differences are news."""


class StressRecord(Record):
    """A value that is beyond its limit; `order` is `since` in seconds since 1970. Deleted when it is relieved."""

    resource: RouterResource
    part: str = ""
    since: datetime
    limit: float
    unit: str


class BootRecord(Record):
    """How the router ran when it was seen last; `order` is `seen_at` in seconds since 1970."""

    booted_at: datetime
    seen_at: datetime
    uptime_s: int
    version: str


class NeighborsRecord(Record):
    """Neighbours that were seen, oldest first: their MAC addresses without colons. `order` counts them all."""

    macs: str


class ThreatRecord(Record):
    """Something that was suspected and has not passed; `order` is `since` in seconds since 1970."""

    threat: Threat
    threat_id: str
    key: str
    since: datetime


class LoginsRecord(Record):
    """From where people log in; `order` is when it was noted, in milliseconds since 1970."""

    sources: tuple[str, ...]
    watched_since: datetime


class HabitsRecord(Record):
    """What is usual for the traffic of interfaces, packed; `order` is when it was noted, in seconds since 1970."""

    habits: dict[str, str]


def seen_key(router_id: RouterId, kind: str, part: str = "") -> str:
    """Where something lies that was seen on a router."""
    key = f"{seen_of(router_id)}{kind}"
    return f"{key}.{escape_token(part)}" if part else key


def seen_of(router_id: RouterId) -> str:
    """The prefix of all that was seen on a router."""
    return f"{SEEN}{escape_token(router_id)}."


def router_token(key: str) -> str:
    """Whose a key below `seen.` is: the escaped router id."""
    return key.removeprefix(SEEN).partition(".")[0]
