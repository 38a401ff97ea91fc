"""Brings the bucket `inventory` to what the tables say, so that nothing is lost while the bus is away.

Changes leave a row in `inventory_queue` in their own transaction; this loop carries the rows over in the order of
commits. At the start, after every trouble and now and then, all of the bucket is compared with the tables instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog

from services.api.adapters.store import QUEUE_LOCK
from services.api.ports import InventorySource
from shared.bus.ports import Bucket, Bus
from shared.clock import Clock
from shared.contracts.streams import INVENTORY_BUCKET
from shared.db import Database
from shared.errors import Temporary

log = structlog.get_logger(__name__)

LOOK_S = 2.0  # another process may have queued rows without waking us
COMPARE_S = 600.0  # somebody may have touched the bucket
RETRY_S = 1.0
BATCH = 200
AT_ONCE = 32
PUBLISHER_LOCK = "ronda inventory publisher"
_LOCK = "select pg_advisory_xact_lock(hashtextextended($1, 0))"


class InventoryPublisher:
    """One process at a time publishes; the others wait for its lock."""

    def __init__(self, database: Database, source: InventorySource, bus: Bus, clock: Clock) -> None:
        self._database = database
        self._source = source
        self._bus = bus
        self._clock = clock
        self._wake = asyncio.Event()
        self._compared_at: float | None = None

    def wake(self) -> None:
        """There are new rows."""
        self._wake.set()

    def compare_soon(self) -> None:
        """Compare everything at the next step."""
        self._compared_at = None
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.step()
            except Temporary as trouble:
                if self._compared_at is not None:
                    log.warning("inventory cannot be published now", reason=str(trouble))
                self._compared_at = None
                await asyncio.sleep(RETRY_S)
                continue
            await self._wait()

    async def step(self) -> None:
        """Carry over what waits; compare everything if it is time for that. Raises Temporary."""
        bucket = await self._bus.bucket(INVENTORY_BUCKET)
        now = self._clock.monotonic()
        if self._compared_at is None or now - self._compared_at > COMPARE_S:
            await self._compare(bucket)
            self._compared_at = now
        while await self._drain(bucket):
            pass

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(LOOK_S):
                await self._wake.wait()
        except TimeoutError:
            if not self._bus.connected:
                self._compared_at = None
        self._wake.clear()

    async def _drain(self, bucket: Bucket) -> bool:
        async with self._database.transaction() as tx:
            await tx.execute(_LOCK, PUBLISHER_LOCK)
            rows = await tx.fetch("select place, key, value from inventory_queue order by place limit $1", BATCH)
            newest = {row["key"]: row["value"] for row in rows}
            for key, value in newest.items():
                await _set(bucket, key, value)
            await tx.execute("delete from inventory_queue where place = any($1)", [row["place"] for row in rows])
        return len(rows) == BATCH

    async def _compare(self, bucket: Bucket) -> None:
        async with self._database.transaction() as tx:
            await tx.execute(_LOCK, PUBLISHER_LOCK)
            await tx.execute(_LOCK, QUEUE_LOCK)  # no change becomes visible between reading and publishing
            wanted = await self._source.entries()
            changed = await _make_equal(bucket, wanted)
            await tx.execute("delete from inventory_queue")
        if changed:
            log.info("inventory compared", entries=len(wanted), changed=changed)


async def _make_equal(bucket: Bucket, wanted: Mapping[str, str]) -> int:
    """Make the bucket hold exactly this; how many entries were different."""
    present = await bucket.keys()
    gone = [key for key in present if key not in wanted]
    steps = [(key, None) for key in gone] + [(key, value) for key, value in wanted.items()]
    changed = 0
    for start in range(0, len(steps), AT_ONCE):
        done = await asyncio.gather(*(_set(bucket, key, value) for key, value in steps[start : start + AT_ONCE]))
        changed += sum(done)
    return changed


async def _set(bucket: Bucket, key: str, value: str | None) -> bool:
    """Whether the entry was different."""
    entry = await bucket.get(key)
    if value is None:
        if entry is not None:
            await bucket.delete(key)
        return entry is not None
    if entry is not None and entry.value == value.encode():
        return False
    await bucket.put(key, value.encode())
    return True
