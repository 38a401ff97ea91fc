"""A router's rows as typed answers, for both RouterOS lines: pure. A field that a version lacks stays empty."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from services.poller.core.row_values import decimal, flag, seconds, split, text, whole
from shared.contracts.live import (
    DnsSettings,
    Hop,
    InterfaceState,
    Lease,
    NeighborSeen,
    PoolUse,
    Resources,
    Route,
    RouterIp,
    RowsQuery,
    Sensor,
    TrafficNow,
)
from shared.contracts.message import Contract
from shared.contracts.queries import PingReport
from shared.routeros import HealthReading, RouterFacts, Row, printable

RowT = TypeVar("RowT", bound=Contract)


@dataclass(frozen=True)
class Menu:
    """A table of a router: which columns are asked for, and how a row reads."""

    path: str
    columns: tuple[str, ...]
    read: Callable[[Row], Any]


def page(query: RowsQuery[Any], rows: Iterable[RowT]) -> dict[str, Any]:
    """The part that was asked for of the rows that match: the fields of a `Rows`."""
    letters = query.search.casefold()
    found = [row for row in rows if not letters or letters in " ".join(map(str, _values(row))).casefold()]
    end = query.offset + query.limit
    return {
        "total": len(found),
        "offset": query.offset,
        "truncated": end < len(found),
        "rows": tuple(found[query.offset : end]),
    }


def _values(row: Contract) -> Iterable[object]:
    return (value for _, value in row if not isinstance(value, bool))


# ── one row each ────────────────────────────────────────────────────────────────────────────────────────────────────


def _lease(row: Row) -> Lease:
    return Lease(
        address=text(row, "active-address") or text(row, "address"),
        mac=text(row, "active-mac-address") or text(row, "mac-address"),
        host_name=text(row, "host-name"),
        server=text(row, "active-server") or text(row, "server"),
        status=text(row, "status"),
        expires_s=seconds(row, "expires-after"),
        last_seen_s=seconds(row, "last-seen"),
        dynamic=flag(row, "dynamic"),
        blocked=flag(row, "blocked"),
        disabled=flag(row, "disabled"),
        comment=text(row, "comment"),
    )


def _address(row: Row) -> RouterIp:
    return RouterIp(
        address=text(row, "address"),
        network=text(row, "network"),
        interface=text(row, "actual-interface") or text(row, "interface"),
        dynamic=flag(row, "dynamic"),
        disabled=flag(row, "disabled"),
        invalid=flag(row, "invalid"),
        comment=text(row, "comment"),
    )


def _interface(row: Row) -> InterfaceState:
    return InterfaceState(
        name=text(row, "name"),
        kind=text(row, "type"),
        running=flag(row, "running"),
        disabled=flag(row, "disabled"),
        dynamic=flag(row, "dynamic"),
        mac=text(row, "mac-address"),
        mtu=whole(row, "actual-mtu"),
        rx_bytes=whole(row, "rx-byte"),
        tx_bytes=whole(row, "tx-byte"),
        link_downs=whole(row, "link-downs"),
        comment=text(row, "comment"),
    )


def _neighbor(row: Row) -> NeighborSeen:
    return NeighborSeen(
        interface=text(row, "interface"),
        address=text(row, "address4") or text(row, "address") or text(row, "address6"),
        mac=text(row, "mac-address"),
        identity=text(row, "identity"),
        platform=text(row, "platform"),
        board=text(row, "board"),
        version=text(row, "version"),
        uptime_s=seconds(row, "uptime"),
    )


LEASES = Menu(
    "/ip/dhcp-server/lease",
    (
        "address",
        "mac-address",
        "host-name",
        "server",
        "status",
        "expires-after",
        "last-seen",
        "active-address",
        "active-mac-address",
        "active-server",
        "dynamic",
        "blocked",
        "disabled",
        "comment",
    ),
    _lease,
)
ADDRESSES = Menu(
    "/ip/address",
    ("address", "network", "interface", "actual-interface", "dynamic", "disabled", "invalid", "comment"),
    _address,
)
INTERFACES = Menu(
    "/interface",
    (
        "name",
        "type",
        "running",
        "disabled",
        "dynamic",
        "mac-address",
        "actual-mtu",
        "rx-byte",
        "tx-byte",
        "link-downs",
        "comment",
    ),
    _interface,
)
NEIGHBORS = Menu(
    "/ip/neighbor",
    (
        "interface",
        "address",
        "address4",
        "address6",
        "mac-address",
        "identity",
        "platform",
        "board",
        "version",
        "uptime",
    ),
    _neighbor,
)
POOL_COLUMNS = ("name", "ranges", "next-pool", "total", "used")
DNS_COLUMNS = ("servers", "dynamic-servers", "use-doh-server", "allow-remote-requests", "cache-size", "cache-used")
RESOURCE_COLUMNS = (
    "uptime",
    "version",
    "board-name",
    "architecture-name",
    "cpu-load",
    "cpu-count",
    "total-memory",
    "free-memory",
    "total-hdd-space",
    "free-hdd-space",
)


# ── what is more than a row ─────────────────────────────────────────────────────────────────────────────────────────


def traffic(row: Row) -> TrafficNow:
    """One row of monitor-traffic; `rx` is what comes in at the router."""

    def rate(*names: str) -> int:
        return sum(whole(row, f"{name}-per-second") or 0 for name in names)

    return TrafficNow(
        name=text(row, "name"),
        rx_bps=rate("rx-bits"),
        tx_bps=rate("tx-bits"),
        rx_pps=rate("rx-packets"),
        tx_pps=rate("tx-packets"),
        drops_pps=rate("rx-drops", "tx-drops", "tx-queue-drops"),
        errors_pps=rate("rx-errors", "tx-errors"),
    )


def pools(rows: Sequence[Row], used: Mapping[str, int]) -> list[PoolUse]:
    """Pools with their use: counted by the router from 7.17 on, otherwise counted in its table of used addresses."""
    return [
        PoolUse(
            name=text(row, "name"),
            ranges=tuple(split(row, "ranges")),
            total=total if (total := whole(row, "total")) is not None else pool_size(split(row, "ranges")),
            used=taken if (taken := whole(row, "used")) is not None else used.get(row.get("name", ""), 0),
            next_pool="" if row.get("next-pool") in (None, "none") else text(row, "next-pool"),
        )
        for row in rows
    ]


def pool_size(ranges: Sequence[str]) -> int:
    """How many addresses `10.0.0.2-10.0.0.9`, `10.1.0.0/24` or a single one are; what cannot be read counts nothing."""
    total = 0
    for part in ranges:
        first, dash, last = part.partition("-")
        try:
            if dash:
                total += int(ipaddress.ip_address(last)) - int(ipaddress.ip_address(first)) + 1
            else:
                total += ipaddress.ip_network(part, strict=False).num_addresses
        except ValueError:
            continue
    return total


def dns_settings(row: Row) -> DnsSettings:
    """`/ip/dns` of either line; 6 before 6.47 knows no DoH."""
    return DnsSettings(
        servers=tuple(split(row, "servers")),
        dynamic_servers=tuple(split(row, "dynamic-servers")),
        doh_server=text(row, "use-doh-server"),
        allow_remote_requests=flag(row, "allow-remote-requests"),
        cache_size_kib=whole(row, "cache-size"),
        cache_used_kib=whole(row, "cache-used"),
    )


def resources(facts: RouterFacts, row: Row, health: Sequence[HealthReading]) -> Resources:
    """Load and sensors."""
    return Resources(
        identity=printable(facts.identity),
        version=text(row, "version") or str(facts.version),
        board=text(row, "board-name"),
        architecture=text(row, "architecture-name"),
        uptime_s=seconds(row, "uptime") or 0.0,
        cpu_percent=whole(row, "cpu-load"),
        cpu_count=whole(row, "cpu-count"),
        memory_total=whole(row, "total-memory"),
        memory_free=whole(row, "free-memory"),
        disk_total=whole(row, "total-hdd-space"),
        disk_free=whole(row, "free-hdd-space"),
        sensors=tuple(Sensor(name=one.name, value=one.value, unit=one.unit) for one in health),
    )


def ping_report(address: str, rows: Sequence[Row], count: int) -> PingReport:
    """What the requests of a ping came to. Rows after the first answer may carry means; we count ourselves."""
    times = [time for row in rows if (time := seconds(row, "time")) is not None]
    rtts = [1000 * time for time in times]
    return PingReport(
        target=address,
        address=next((text(row, "host") for row in rows if row.get("host")), address),
        sent=max(len(rows), count),
        received=len(rtts),
        rtt_min_ms=min(rtts, default=None),
        rtt_avg_ms=sum(rtts) / len(rtts) if rtts else None,
        rtt_max_ms=max(rtts, default=None),
    )


def route(address: str, rows: Sequence[Row]) -> Route:
    """The last of the pictures that a traceroute paints; each begins anew in a section of its own."""
    last = rows[-1].get(".section") if rows else None
    picture = [row for row in rows if row.get(".section") == last]
    hops = tuple(_hop(number, row) for number, row in enumerate(picture, 1))
    return Route(target=address, hops=hops, reached=bool(hops) and hops[-1].address == address)


def _hop(number: int, row: Row) -> Hop:
    return Hop(
        number=number,
        address=text(row, "address"),
        loss_percent=decimal(row.get("loss", "").removesuffix("%")) or 0.0,
        rtt_ms=decimal(row.get("avg", "").removesuffix("ms")) if row.get("address") else None,
    )
