"""Ids with types of their own, so that a host's id is never taken for a router's."""

from __future__ import annotations

import secrets
import time
from typing import NewType

SiteId = NewType("SiteId", str)
RouterId = NewType("RouterId", str)
HostId = NewType("HostId", str)
GroupId = NewType("GroupId", str)
MaintenanceId = NewType("MaintenanceId", str)
AccountId = NewType("AccountId", str)
ChatId = NewType("ChatId", str)  # ours, not Telegram's
IncidentId = NewType("IncidentId", str)
DeliveryId = NewType("DeliveryId", str)

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, lower case


def new_id() -> str:
    """A new id of 26 characters that sorts by the time it was made (48 bits of milliseconds, 80 random bits)."""
    number = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))
