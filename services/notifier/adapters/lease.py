"""Being the only one: a key in the bucket `leases` that its holder renews and that runs out by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from shared.bus.ports import Bucket, Bus
from shared.clock import Clock
from shared.contracts.streams import LEASES_BUCKET
from shared.errors import Conflict, RondaError, Temporary

log = structlog.get_logger("notifier")

RENEW_S = 1.0
SAFE_S = LEASES_BUCKET.ttl_s - 0.5  # without a renewal for this long, somebody else may begin


class Lost(Exception):
    """The lease went to somebody else, or may have."""


async def while_holding(bus: Bus, key: str, holder: str, work: Callable[[], Awaitable[None]], clock: Clock) -> None:
    """Run `work` whenever the lease is ours, until cancelled. `work` is cancelled as soon as the lease may be lost."""
    while True:
        try:
            bucket = await bus.bucket(LEASES_BUCKET)
            revision = await bucket.create(key, holder.encode())
        except Conflict:
            await asyncio.sleep(RENEW_S)
            continue
        except Temporary as away:
            log.warning("lease not taken", lease=key, reason=str(away))
            await asyncio.sleep(RENEW_S)
            continue
        log.info("lease taken", lease=key)
        await _hold(bucket, key, holder, revision, work, clock)


async def _hold(
    bucket: Bucket, key: str, holder: str, revision: int, work: Callable[[], Awaitable[None]], clock: Clock
) -> None:
    current = [revision]
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_renew(bucket, key, holder, current, clock), name=f"renew {key}")
            group.create_task(_worked(work), name=f"work under {key}")
    except* Lost as lost:
        log.warning("lease lost", lease=key, reason=str(lost.exceptions[0]))
    finally:
        await _give_back(bucket, key, current[0])


async def _worked(work: Callable[[], Awaitable[None]]) -> None:
    await work()
    raise Lost("the work ended")


async def _renew(bucket: Bucket, key: str, holder: str, current: list[int], clock: Clock) -> None:
    renewed = clock.monotonic()
    while True:
        await asyncio.sleep(RENEW_S)
        try:
            current[0] = await bucket.update(key, holder.encode(), revision=current[0])
            renewed = clock.monotonic()
        except Conflict as taken:
            raise Lost("somebody else has it") from taken
        except RondaError as away:
            if clock.monotonic() - renewed > SAFE_S:
                raise Lost("it could not be renewed in time") from away


async def _give_back(bucket: Bucket, key: str, revision: int) -> None:
    try:
        async with asyncio.timeout(RENEW_S):
            await bucket.delete(key, revision=revision)
    except (RondaError, TimeoutError):
        return  # it runs out by itself
