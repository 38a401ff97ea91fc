"""What answers when a router pings: the state of the ways to hosts, set by whoever runs the lab."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Watcher = Callable[[str], None]


@dataclass(frozen=True)
class Link:
    """The way to one host. `status` is what ping says while it is down; `hops` the routers on the way."""

    up: bool = True
    rtt_s: float = 0.002
    loss: float = 0.0
    status: str = "timeout"
    hops: tuple[str, ...] = ()


DOWN = Link(up=False)


class LinkMap:
    """Hosts and the ways to them. May be shared by the routers of one provider."""

    def __init__(self) -> None:
        self._links: dict[str, Link] = {}
        self._watchers: list[Watcher] = []

    def put(self, host: str, link: Link) -> None:
        """From now on `host` answers like this; those who watch are told."""
        self._links[host] = link
        for watcher in tuple(self._watchers):
            watcher(host)

    def up(self, host: str, rtt_s: float = 0.002) -> None:
        """The host answers after `rtt_s` seconds."""
        self.put(host, Link(True, rtt_s))

    def down(self, host: str) -> None:
        """The host does not answer."""
        self.put(host, DOWN)

    def to(self, host: str) -> Link | None:
        """The way to a host, if anybody said something about it."""
        return self._links.get(host)

    def watch(self, watcher: Watcher) -> None:
        """Call `watcher` with each host that changes."""
        self._watchers.append(watcher)
