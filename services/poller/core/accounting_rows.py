"""Rows of a User Manager's sessions, of 6.49 (`/tool/user-manager/session`) and 7 (`/user-manager/session`).

These are what a NAS accounted: the NAS may be a router that is watched itself, or one of which this is all we hear.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from services.poller.core.session_facts import Said, Seen
from shared.contracts.vocabulary import Service
from shared.errors import Invalid
from shared.routeros import Row, printable
from shared.routeros.durations import optional_duration

SLOTS = "um-"  # so that no row of a router's own tables is taken for one of these
# What a RouterOS NAS says it carries: a hotspot is `wireless-802.11` (its default) or `cable`, PPPoE is `ethernet`,
# tunnels are `virtual`, modems `async` (manual: RADIUS client, NAS-Port-Type).
_HOTSPOT_PORTS = ("wireless", "cable")


@dataclass(frozen=True, slots=True)
class Accounted:
    """One row: a session that is open, or (`said`) how it ended."""

    service: Service
    seen: Seen
    nas_address: str
    nas_name: str
    said: Said | None


def read_accounting(row: Row) -> Accounted | None:
    """A row of either line; None if it names nobody."""
    account, number = row.get("user", ""), row.get(".id", "").removeprefix("*")
    if not account or not number:
        return None
    hotspot = row.get("nas-port-type", "").lower().startswith(_HOTSPOT_PORTS)
    seen = Seen(
        slot=SLOTS + number,
        account=printable(account),
        address=row.get("user-address") or row.get("user-ip") or None,
        mac=printable(row.get("calling-station-id", "")) or None,
        mark=row.get("acct-session-id") or None,
        uptime=_duration(row.get("uptime")),
        bytes_in=_count(row.get("upload")),
        bytes_out=_count(row.get("download")),
    )
    return Accounted(
        Service.HOTSPOT if hotspot else Service.PPP,
        seen,
        row.get("nas-ip-address") or row.get("host-ip") or "",
        row.get("nas-identifier", ""),
        None if row.get("active") in {"true", "yes"} else _ended(seen, row.get("terminate-cause")),
    )


def _ended(seen: Seen, cause: str | None) -> Said:
    return Said(
        seen.account,
        seen.address,
        seen.mac,
        reason=cause or None,
        duration=seen.uptime,
        bytes_in=seen.bytes_in,
        bytes_out=seen.bytes_out,
    )


def _duration(text: str | None) -> timedelta | None:
    try:
        return optional_duration(text)
    except Invalid:
        return None


def _count(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None
