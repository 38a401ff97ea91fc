"""What a router tells about itself when we connect."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from shared.errors import Invalid, Unreachable
from shared.routeros.durations import parse_duration
from shared.routeros.reply import Row
from shared.routeros.version import RouterVersion


@dataclass(frozen=True)
class RouterFacts:
    """Read once per connection; `uptime` is the one at that moment."""

    identity: str
    version: RouterVersion
    board: str
    architecture: str
    uptime: timedelta

    @classmethod
    def of(cls, identity: Row, resource: Row) -> RouterFacts:
        """Raises Unreachable when essentials are missing: for some seconds after boot routers answer so."""
        try:
            return cls(
                identity=identity.get("name", ""),
                version=RouterVersion.parse(resource["version"]),
                board=resource.get("board-name", ""),
                architecture=resource.get("architecture-name", ""),
                uptime=parse_duration(resource["uptime"]),
            )
        except (KeyError, Invalid) as error:
            raise Unreachable("the router answers incompletely; it may still be starting") from error
