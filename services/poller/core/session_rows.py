"""Rows of `/ip/hotspot/active` and `/ppp/active`, on 6.49 and 7.x, as sessions that were seen."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from services.poller.core.session_facts import Seen
from shared.contracts.vocabulary import Service
from shared.errors import Invalid
from shared.routeros import Row, printable
from shared.routeros.durations import optional_duration


@dataclass(frozen=True, slots=True)
class ActiveTable:
    """Where a service's sessions are listed, and under which names."""

    service: Service
    path: str
    account: str
    mac: str
    columns: tuple[str, ...]


HOTSPOT = ActiveTable(
    Service.HOTSPOT,
    "/ip/hotspot/active",
    account="user",
    mac="mac-address",
    columns=(".id", "user", "server", "address", "mac-address", "uptime", "bytes-in", "bytes-out"),
)
# `/ppp/active` of 7 has no byte counters; `session-id` numbers a session as long as the router runs.
PPP = ActiveTable(
    Service.PPP,
    "/ppp/active",
    account="name",
    mac="caller-id",
    columns=(".id", "name", "address", "caller-id", "uptime", "session-id"),
)
TABLES = (HOTSPOT, PPP)


def read_row(table: ActiveTable, row: Row) -> Seen | None:
    """A row of an active table; None if it names nobody (a row that is only being made)."""
    account = row.get(table.account, "")
    slot = row.get(".id", "").removeprefix("*")
    if not account or not slot:
        return None
    return Seen(
        slot=slot,
        account=printable(account),
        address=row.get("address") or None,
        mac=printable(row.get(table.mac, "")) or None,
        mark=row.get("session-id") or None,
        uptime=_uptime(row),
        bytes_in=_count(row.get("bytes-in")),
        bytes_out=_count(row.get("bytes-out")),
        server=row.get("server") or None,
    )


def counters_by_account(rows: Iterable[Row]) -> dict[str, tuple[int, int]]:
    """Bytes from and to each PPPoE subscriber, by the rows of their interfaces (`<pppoe-NAME>`)."""
    found: dict[str, tuple[int, int]] = {}
    for row in rows:
        name, received, sent = row.get("name", ""), _count(row.get("rx-byte")), _count(row.get("tx-byte"))
        if name.startswith("<pppoe-") and received is not None and sent is not None:
            found[printable(name.removeprefix("<pppoe-").removesuffix(">"))] = received, sent
    return found


def slot_at(address: str | None) -> str | None:
    """Where `/ip/hotspot/active` has the session of an address: its four bytes in reverse as one number."""
    if address is None:
        return None
    try:
        packed = ipaddress.IPv4Address(address).packed
    except ValueError:
        return None
    return f"{int.from_bytes(packed, 'little'):X}"


def _uptime(row: Row) -> timedelta | None:
    try:
        return optional_duration(row.get("uptime"))
    except Invalid:
        return None


def _count(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None
