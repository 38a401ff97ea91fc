"""What carries a session: its server's interface, the VLAN that this is, the pool of its address, the router."""

from __future__ import annotations

import ipaddress
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from services.poller.core.mass_drop import Carrier
from services.poller.core.session_facts import Session
from shared.contracts.vocabulary import DropCause, Service
from shared.routeros import Row


@dataclass(frozen=True, slots=True)
class Places:
    """The tables of one router that say it, as read last. All of them may be empty: then the router alone is named."""

    router_name: str = ""
    hotspot_interfaces: Mapping[str, str] = field(default_factory=dict)  # by server
    ppp_interfaces: Mapping[str, str] = field(default_factory=dict)  # by user
    only_ppp_interface: str | None = None  # where one server answers, everybody is on its interface
    vlan_parents: Mapping[str, str] = field(default_factory=dict)  # interface below, by VLAN
    pools: tuple[tuple[int, int, str], ...] = ()  # first and last address as numbers, name; by first address

    def carriers(self, service: Service, session: Session) -> frozenset[Carrier]:
        """Everything that carries a session."""
        found = {Carrier(DropCause.ROUTER, self.router_name)}
        interface = self._interface(service, session)
        if interface is not None and interface in self.vlan_parents:
            found.add(Carrier(DropCause.VLAN, interface))
            interface = self.vlan_parents[interface]
        if interface:
            found.add(Carrier(DropCause.INTERFACE, interface))
        if (pool := self._pool(session.address)) is not None:
            found.add(Carrier(DropCause.POOL, pool))
        return frozenset(found)

    def _interface(self, service: Service, session: Session) -> str | None:
        if service is Service.HOTSPOT:
            return self.hotspot_interfaces.get(session.server or "")
        return self.ppp_interfaces.get(session.account, self.only_ppp_interface)

    def _pool(self, address: str | None) -> str | None:
        number = _number(address)
        if number is None:
            return None
        at = bisect_right(self.pools, number, key=lambda pool: pool[0]) - 1
        return self.pools[at][2] if at >= 0 and number <= self.pools[at][1] else None


def hotspot_interfaces(rows: Iterable[Row]) -> dict[str, str]:
    """Rows of `/ip/hotspot`."""
    return {row["name"]: row["interface"] for row in rows if row.get("name") and row.get("interface")}


def ppp_interfaces(lines: Iterable[Row]) -> dict[str, str]:
    """Rows of `/interface/pppoe-server`, which are lines: who is on which interface."""
    return {row["user"]: row["interface"] for row in lines if row.get("user") and row.get("interface")}


def only_interface(servers: Iterable[Row]) -> str | None:
    """The interface of all PPPoE servers that are on, if it is one."""
    found = {row["interface"] for row in servers if row.get("interface") and row.get("disabled") not in {"true", "yes"}}
    return found.pop() if len(found) == 1 else None


def vlan_parents(rows: Iterable[Row]) -> dict[str, str]:
    """Rows of `/interface/vlan`."""
    return {row["name"]: row.get("interface", "") for row in rows if row.get("name")}


def pool_ranges(rows: Iterable[Row]) -> tuple[tuple[int, int, str], ...]:
    """Rows of `/ip/pool`: `10.0.0.2-10.0.0.254`, one address, or a network, several by commas."""
    parts = ((part.strip(), row.get("name", "")) for row in rows for part in row.get("ranges", "").split(","))
    return tuple(sorted((*bounds, name) for part, name in parts if (bounds := _bounds(part)) is not None))


def _bounds(text: str) -> tuple[int, int] | None:
    if "/" in text:
        try:
            network = ipaddress.IPv4Network(text, strict=False)
        except ValueError:
            return None
        return int(network.network_address), int(network.broadcast_address)
    first, _, last = text.partition("-")
    low, high = _number(first), _number(last or first)
    return None if low is None or high is None else (low, high)


def _number(address: str | None) -> int | None:
    try:
        return None if address is None else int(ipaddress.IPv4Address(address))
    except ValueError:
        return None
