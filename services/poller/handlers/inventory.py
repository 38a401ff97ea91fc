"""Follow the inventory: what is added is watched at once, what is removed is left alone at once."""

from __future__ import annotations

from collections.abc import Callable, Collection

import structlog

from services.poller.core.roster import Roster
from shared.errors import Invalid

log = structlog.get_logger(__name__)


class RosterCopy:
    """The bucket `inventory` as the roster has it; `changed` runs after every change.

    The whole bucket is one change at the start, so that a host is never asked before its policy is known.
    """

    def __init__(self, roster: Roster, changed: Callable[[], None]) -> None:
        self._roster = roster
        self._changed = changed
        self._whole = False

    def keys(self) -> Collection[str]:
        """What the roster holds."""
        return self._roster.entries.keys()

    async def put(self, key: str, value: bytes) -> None:
        """Take an entry over; one that cannot be read is left out and said."""
        try:
            new = self._roster.put(key, value)
        except Invalid as wrong:
            log.warning("an entry of the inventory is left out", key=key, reason=str(wrong))
            return
        if new and self._whole:
            self._changed()

    async def remove(self, key: str) -> None:
        """Forget an entry."""
        if self._roster.remove(key) and self._whole:
            self._changed()

    async def caught_up(self) -> None:
        """The roster is whole."""
        self._whole = True
        self._changed()
