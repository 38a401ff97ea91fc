"""What routers' netwatch scripts said last of the hosts they watch, for whoever cannot ask the router itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.contracts.ids import RouterId

BELIEVED_FOR = timedelta(hours=24)  # a script speaks when something changes; a router that is silent may be gone


@dataclass(frozen=True, slots=True)
class Heard:
    """A host answered its router, or did not, as of `at`."""

    up: bool
    at: datetime


class HeardHosts:
    """The last word about each host, by router. A `HostListener`."""

    def __init__(self) -> None:
        self._heard: dict[tuple[RouterId, str], Heard] = {}

    def host_said(self, router_id: RouterId, address: str, *, up: bool, at: datetime) -> None:
        """A netwatch script of the router spoke."""
        self._heard[router_id, address] = Heard(up, at)

    def last(self, router_id: RouterId, addresses: Iterable[str], now: datetime) -> Heard | None:
        """The last word about a host that the router may know under several addresses; None if it is too old."""
        found = [self._heard[router_id, address] for address in addresses if (router_id, address) in self._heard]
        newest = max(found, key=lambda heard: heard.at, default=None)
        return newest if newest is not None and now - newest.at <= BELIEVED_FOR else None
