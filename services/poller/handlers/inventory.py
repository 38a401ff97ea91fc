"""Follow the inventory: what is added is watched at once, what is removed is left alone at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from services.poller.core.roster import Roster
from shared.bus.ports import Bucket, Entry, Gone
from shared.errors import Invalid, Temporary

_PAUSE_S = 1.0

log = structlog.get_logger(__name__)


async def follow_inventory(bucket: Bucket, roster: Roster, changed: Callable[[], None]) -> None:
    """Keep the roster equal to the bucket until cancelled; `changed` runs after every change.

    The whole bucket is one change at the start, so that a host is never asked before its policy is known.
    """
    while True:
        try:
            await _follow_once(bucket, roster, changed)
        except Temporary as problem:
            log.warning("the inventory cannot be followed now", reason=str(problem))
        await asyncio.sleep(_PAUSE_S)


async def _follow_once(bucket: Bucket, roster: Roster, changed: Callable[[], None]) -> None:
    present: set[str] | None = set()
    async for item in bucket.watch():
        if item is None:
            if present is not None:
                for key in set(roster.entries) - present:
                    roster.remove(key)  # went while we were not looking
                present = None
            changed()
        elif _take(item, roster) and present is None:
            changed()
        if present is not None and isinstance(item, Entry):
            present.add(item.key)


def _take(item: Entry | Gone, roster: Roster) -> bool:
    if isinstance(item, Gone):
        return roster.remove(item.key)
    try:
        return roster.put(item.key, item.value)
    except Invalid as wrong:
        log.warning("an entry of the inventory is left out", key=item.key, reason=str(wrong))
        return False
