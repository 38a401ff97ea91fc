"""What routers' netwatch scripts said last of the hosts they watch, for whoever cannot ask the router itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.contracts.ids import RouterId

BELIEVED_FOR = timedelta(hours=24)  # a script speaks when something changes, and hosts are down for long
ALIVE_FOR = timedelta(hours=1)  # a router that is dead tells of nothing: what it last saw up may have gone with it


@dataclass(frozen=True, slots=True)
class Heard:
    """A host answered its router, or did not, as of `at`."""

    up: bool
    at: datetime


class HeardHosts:
    """The last word about each host, by router. A `HostListener`."""

    def __init__(self) -> None:
        self._heard: dict[tuple[RouterId, str], Heard] = {}
        self._spoke: dict[RouterId, datetime] = {}

    def router_said(self, router_id: RouterId, at: datetime) -> None:
        """A script of the router spoke of anything: it lives and reaches us."""
        self._spoke[router_id] = max(at, self._spoke.get(router_id, at))

    def host_said(self, router_id: RouterId, address: str, *, up: bool, at: datetime) -> None:
        """A netwatch script of the router spoke."""
        self._heard[router_id, address] = Heard(up, at)
        self.router_said(router_id, at)

    def last(self, router_id: RouterId, addresses: Iterable[str], now: datetime) -> Heard | None:
        """The last word about a host that the router may know under several addresses; None if it is too old: a day,
        and for a host that was up an hour since the router spoke of anything."""
        found = [self._heard[router_id, address] for address in addresses if (router_id, address) in self._heard]
        newest = max(found, key=lambda heard: heard.at, default=None)
        if newest is None or now - newest.at > BELIEVED_FOR:
            return None
        return None if newest.up and now - self._spoke[router_id] > ALIVE_FOR else newest

    def up(
        self, router_id: RouterId, addresses: Iterable[str], *, since: datetime | None, now: datetime
    ) -> bool | None:
        """Whether the router said last that the host is up; None if it said nothing to be believed after `since`."""
        heard = self.last(router_id, addresses, now)
        return None if heard is None or (since is not None and heard.at <= since) else heard.up
