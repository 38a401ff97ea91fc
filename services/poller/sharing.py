"""What the duty asks of how the work is shared."""

from __future__ import annotations

from typing import Protocol

from services.poller.core.shards import PARTS, Part
from services.poller.handlers.claims import Claim
from shared.contracts.ids import SiteId


class Sharing(Protocol):
    """Which part of the watch something belongs to, and which parts are ours."""

    @property
    def settled(self) -> bool:
        """Whether what is ours has been decided at least once."""
        ...

    def part(self, token: str, site_id: SiteId | None) -> Part:
        """Where the host or router with this id (as keys have it) belongs."""
        ...

    def holds(self, part: Part) -> bool:
        """Whether this part is ours to watch."""
        ...

    def claim(self, part: Part) -> Claim | None:
        """In whose name a fact of this part is told; None if it is not ours."""
        ...


class AllMine:
    """For a poller that is alone in the world."""

    settled = True

    def part(self, token: str, site_id: SiteId | None) -> Part:  # noqa: ARG002 one signature for all
        """There is one."""
        return PARTS[0]

    def holds(self, part: Part) -> bool:  # noqa: ARG002
        """Always."""
        return True

    def claim(self, part: Part) -> Claim | None:
        """For ever the same."""
        return Claim(part, 0)
