"""Keep a copy of a bucket: everything at the start, then every change, and after an outage the difference.

What was removed while nobody watched is removed when the watch is back. While the bus is away the last copy stays.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Protocol

import structlog

from shared.bus.ports import Bucket, Gone
from shared.errors import Temporary

log = structlog.get_logger("bus")

PAUSE_S = 1.0


class BucketCopy(Protocol):
    """What holds the copy."""

    def keys(self) -> Collection[str]:
        """The keys it holds now."""
        ...

    async def put(self, key: str, value: bytes) -> None:
        """Take an entry; one that cannot be understood is the copy's own matter."""
        ...

    async def remove(self, key: str) -> None:
        """Forget an entry; harmless if there is none."""
        ...

    async def caught_up(self) -> None:
        """Everything stored so far has been said. Comes again after each outage."""
        ...


async def follow(open_bucket: Callable[[], Awaitable[Bucket]], copy: BucketCopy, prefix: str = "") -> None:
    """Keep the copy equal to the bucket's entries below `prefix` until cancelled."""
    while True:
        try:
            await _follow_once(await open_bucket(), copy, prefix)
        except Temporary as away:
            log.warning("a bucket cannot be followed now", prefix=prefix, reason=str(away))
        await asyncio.sleep(PAUSE_S)


async def _follow_once(bucket: Bucket, copy: BucketCopy, prefix: str) -> None:
    seen: set[str] | None = set()  # until everything stored has been said
    async for change in bucket.watch(prefix):
        if change is None:
            for key in set(copy.keys()) - (seen or set()):
                await copy.remove(key)
            seen = None
            await copy.caught_up()
        elif isinstance(change, Gone):
            await copy.remove(change.key)
        else:
            if seen is not None:
                seen.add(change.key)
            await copy.put(change.key, change.value)
