"""/ip/pool and /ip/pool/used: addresses handed out to sessions and leases."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from lab.routers import errors

if TYPE_CHECKING:
    from lab.routers.menu import Item
    from lab.routers.router import VirtualRouter


class Pools:
    """Takes and gives back addresses of one router."""

    def __init__(self, router: VirtualRouter) -> None:
        self._router = router
        self._menu = router.menu("/ip/pool")
        self._used = router.menu("/ip/pool/used")
        self._holders: dict[str, Item] = {}
        self._counts: dict[str, int] = {}
        self._menu.on_remove.append(self._removed)
        if "total" in self._menu.spec.fields:
            self._menu.views.append(self._live)

    def _live(self, item: Item) -> Mapping[str, str | None]:
        total = sum(1 for _ in addresses(item["ranges"]))
        used = self._counts.get(item.id, 0)
        return {"total": str(total), "used": str(used), "available": str(total - used)}

    def _removed(self, item: Item) -> None:
        text = self._router.personality.pool_in_use_text
        if text and self._counts.get(item.id):
            raise errors.Trap(text)

    def take(self, name: str, owner: str, note: str) -> str | None:
        """A free address of the pool, or of those it goes on to; None if all are taken or there is no such
        pool."""
        pool = self._menu.named(name)
        visited: set[str] = set()
        while pool is not None and pool.id not in visited:
            visited.add(pool.id)
            for address in addresses(pool["ranges"]):
                if address not in self._holders:
                    self._hold(pool, address, owner, note)
                    return address
            pool = self._menu.items.get(pool.get("next-pool"))
        return None

    def _hold(self, pool: Item, address: str, owner: str, note: str) -> None:
        self._holders[address] = self._used.put(
            {"pool": pool["name"], "address": address, "owner": owner, "info": note}
        )
        self._counts[pool.id] = self._counts.get(pool.id, 0) + 1

    def give_back(self, address: str) -> None:
        """Free an address; those never taken are ignored."""
        used = self._holders.pop(address, None)
        if used is None:
            return
        pool = self._menu.named(used["pool"])
        if pool is not None:
            self._counts[pool.id] -= 1
        self._used.drop(used)


def addresses(ranges: str) -> Iterator[str]:
    """Every address of `10.0.0.2-10.0.0.9,10.1.0.0/24`."""
    for part in ranges.split(","):
        first, dash, last = part.partition("-")
        if dash:
            low, high = int(ipaddress.IPv4Address(first)), int(ipaddress.IPv4Address(last))
            yield from (str(ipaddress.IPv4Address(number)) for number in range(low, high + 1))
        elif "/" in part:
            yield from map(str, ipaddress.ip_network(part, strict=False).hosts())
        else:
            yield part
