"""Security: what looks like somebody doing harm on or through a router."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from shared.contracts.events.event import EXAMPLE_TIME
from shared.contracts.events.routers import RouterObservation
from shared.contracts.vocabulary import Threat


class ThreatEvent(RouterObservation):
    """`threat_id` is the same for as long as the same thing goes on."""

    threat: Threat
    threat_id: str

    def message_id(self) -> str:
        return f"{self.NAME}:{self.threat_id}"


_THREAT = {
    "at": EXAMPLE_TIME,
    "router_id": "01r0ut",
    "router_name": "waru-gw",
    "site_id": "01s1te",
    "threat": "login_failures",
    "threat_id": "b1946ac9",
}


class ThreatSuspected(ThreatEvent):
    """Something was seen that a person should know of. What is known of it comes along; the rest is None."""

    NAME: ClassVar[str] = "security.suspected"
    EXAMPLE: ClassVar[dict[str, Any]] = {
        **_THREAT,
        "since": "2026-11-20T14:03:50Z",
        "source": "203.0.113.99",
        "user": "admin",
        "via": "winbox",
        "count": 12,
        "words": "login failure for user admin from 203.0.113.99 via winbox",
    }

    since: datetime
    source: str | None = None  # an address, a MAC, an interface
    user: str | None = None  # of the router, never of a subscriber
    via: str | None = None  # winbox, ssh, api, interface…
    count: int | None = None
    value: float | None = None  # for traffic: bits or packets a second
    usual: float | None = None  # its own normal
    unit: str = ""
    words: str = ""  # the router's own, without secrets


class ThreatPassed(ThreatEvent):
    """What was suspected has stopped."""

    NAME: ClassVar[str] = "security.passed"
    EXAMPLE: ClassVar[dict[str, Any]] = {**_THREAT, "suspected_since": "2026-11-20T14:03:50Z"}

    suspected_since: datetime
