"""From rows of `/ip/dhcp-server/lease` to addresses that were given and given back. A renewal is no news."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from shared.routeros import Row, printable

COLUMNS = (
    ".id",
    "address",
    "mac-address",
    "server",
    "status",
    "active-address",
    "active-mac-address",
    "active-server",
    "host-name",
    "disabled",
)


@dataclass(frozen=True, slots=True)
class Lease:
    """A bound lease as a row shows it."""

    row_id: str
    address: str
    mac: str
    server: str
    host_name: str


@dataclass(frozen=True, slots=True)
class Held:
    """An address that a device has, and since when as far as we know. `number` only grows."""

    address: str
    mac: str
    server: str
    host_name: str
    since: datetime
    number: int


@dataclass(frozen=True, slots=True)
class Bound:
    """A device has this address now. Not `news`: it is only to be remembered."""

    held: Held
    at: datetime
    inferred: bool
    news: bool = True


@dataclass(frozen=True, slots=True)
class Released:
    """The address is free again, or another device's."""

    held: Held
    at: datetime
    inferred: bool


Fact = Bound | Released


def read_lease(row: Row) -> Lease | None:
    """A row; None unless a device has the address now."""
    address = row.get("active-address") or row.get("address", "")
    mac = row.get("active-mac-address") or row.get("mac-address", "")
    if row.get("status") != "bound" or not address or not mac or row.get("disabled") in {"true", "yes"}:
        return None
    server = row.get("active-server") or row.get("server", "")
    return Lease(row.get(".id", ""), address, mac, printable(server), printable(row.get("host-name", "")))


class LeaseBook:
    """The bound leases of one router."""

    def __init__(self, held: Iterable[Held] = ()) -> None:
        self._held = {one.address: one for one in held}
        self._ids: dict[str, str] = {}
        self._ended: dict[str, datetime] = {}
        self._last_number = max((one.number for one in self._held.values()), default=0)

    def __len__(self) -> int:
        return len(self._held)

    def clear(self) -> list[Held]:
        """Forget all leases; what was known."""
        held = list(self._held.values())
        self._held.clear()
        self._ids.clear()
        return held

    def seen(self, row_id: str, lease: Lease | None, now: datetime) -> list[Fact]:
        """A row was added or changed, just now; None: it is not bound (any more)."""
        before = self._ids.get(row_id)
        facts: list[Fact] = []
        if before is not None and (lease is None or lease.address != before):
            facts += self._release(before, now, inferred=False)
        if lease is None:
            self._ids.pop(row_id, None)
            return facts
        return facts + self._bind(lease, now, inferred=False, news=True)

    def gone(self, row_id: str, now: datetime) -> list[Fact]:
        """A row was removed, just now."""
        address = self._ids.pop(row_id, None)
        return [] if address is None else self._release(address, now, inferred=False)

    def compare(self, leases: Iterable[Lease], now: datetime, *, asked_at: datetime, news: bool) -> list[Fact]:
        """All bound leases were read; what happened after `asked_at` counts more. Not `news`: it is the first look."""
        present = {one.address: one for one in leases if self._ended.get(one.address, asked_at) <= asked_at}
        self._ended.clear()
        facts: list[Fact] = []
        for address, held in list(self._held.items()):
            if address not in present and held.since <= asked_at:
                facts += self._release(address, now, inferred=True)
        self._ids = {row_id: address for row_id, address in self._ids.items() if address in self._held}
        for lease in present.values():
            facts += self._bind(lease, now, inferred=True, news=news)
        return facts

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _bind(self, lease: Lease, now: datetime, *, inferred: bool, news: bool) -> list[Fact]:
        self._ids[lease.row_id] = lease.address
        held = self._held.get(lease.address)
        if held is not None and held.mac == lease.mac:
            return []
        facts = [] if held is None else self._release(lease.address, now, inferred=inferred)
        self._last_number = number = max(int(now.timestamp()), self._last_number + 1)
        fresh = Held(lease.address, lease.mac, lease.server, lease.host_name, now, number)
        self._held[lease.address] = fresh
        return [*facts, Bound(fresh, now, inferred, news)]

    def _release(self, address: str, now: datetime, *, inferred: bool) -> list[Fact]:
        self._ended[address] = now
        held = self._held.pop(address, None)
        return [] if held is None else [Released(held, now, inferred)]
