"""What somebody typed into the search box, as what to look for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

SHORTEST = 2
SHORTEST_MAC = 4  # hexadecimal digits; fewer are in every name
_NOT_HEX = re.compile(r"[^0-9a-f]")
_MAC_LIKE = re.compile(r"^[0-9a-f:-]+$")  # dots are addresses more often than Cisco's way to write a MAC


class FoundKind(StrEnum):
    """What a result is."""

    ACCOUNT = "account"
    SESSION = "session"
    HOST = "host"
    ROUTER = "router"


@dataclass(frozen=True, slots=True)
class Found:
    """One result. `state` is the word of its kind: an account's status, a host's or router's state, open or closed."""

    kind: FoundKind
    id: str
    name: str
    where: str  # of the router or site that it belongs to
    state: str
    address: str | None = None
    mac: str | None = None
    detail: str | None = None  # a customer's full name, a session's service
    at: datetime | None = None  # a session's beginning or end


@dataclass(frozen=True, slots=True)
class SearchWish:
    """`pattern` is for SQL's `ilike`; `mac` the digits of a part of a MAC address, however it was written."""

    text: str
    pattern: str
    mac: str | None

    @classmethod
    def of(cls, typed: str) -> SearchWish | None:
        """None where too little was typed to mean anything."""
        text = typed.strip()
        if len(text) < SHORTEST:
            return None
        escaped = re.sub(r"([\\%_])", r"\\\1", text)
        return cls(text, f"%{escaped}%", mac_digits(text))


def mac_digits(text: str) -> str | None:
    """`A4-5E-60` → `a45e60`; None where it cannot be a part of a MAC address."""
    lowered = text.lower()
    digits = _NOT_HEX.sub("", lowered)
    return digits if _MAC_LIKE.match(lowered) and SHORTEST_MAC <= len(digits) <= 12 else None
