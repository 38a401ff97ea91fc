"""From where do people log in? An address that nobody has logged in from before is worth a look.

The operator may name addresses and networks; then only these are known. Otherwise what is seen during the first days
of a router's watch is learned in silence, and every new address after that is told once and then known, too.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from datetime import datetime, timedelta

LEARNING = timedelta(days=3)
MOST = 256  # addresses remembered per router; more than that come from a network that should be named


class LoginPlaces:
    """The addresses from which people log in to one router."""

    def __init__(self, named: Iterable[str], learned: Iterable[str], watched_since: datetime) -> None:
        self._named = tuple(network for text in named if (network := _network(text)) is not None)
        self._learned: dict[str, None] = dict.fromkeys(learned)
        self._watched_since = watched_since

    @property
    def learned(self) -> tuple[str, ...]:
        """What has been learned, oldest first."""
        return tuple(self._learned)

    def is_new(self, source: str | None, now: datetime) -> bool:
        """Whether a log-in from there is to be told. Asking makes the address known. None: at the router itself."""
        if source is None or source in self._learned:
            return False
        if self._named:
            new = not any(_inside(source, network) for network in self._named)
        else:
            new = now - self._watched_since > LEARNING
        if new or not self._named:
            self._learned[source] = None
            while len(self._learned) > MOST:
                del self._learned[next(iter(self._learned))]
        return new


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None


def _inside(source: str, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    try:
        return ipaddress.ip_address(source) in network
    except ValueError:  # a MAC address: log-ins by MAC-Telnet come from beside the router
        return False
