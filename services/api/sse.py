"""What every stream of Server-Sent Events needs: headers, and a heartbeat that notices who has gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, TypeVar

T = TypeVar("T")

HEARTBEAT_S = 15.0  # below the idle limits of usual proxies (60 s) with room to spare
SSE_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


async def with_pauses(
    source: AsyncIterator[T | None], pause_s: float, stopping: asyncio.Event
) -> AsyncGenerator[T | None]:
    """What comes, and None whenever nothing came for `pause_s` or the source itself said None; until `stopping`."""
    stop = asyncio.ensure_future(stopping.wait())
    waiting: asyncio.Future[T | None] | None = None
    try:
        while True:
            waiting = waiting or asyncio.ensure_future(anext(source))
            racing: set[asyncio.Future[Any]] = {waiting, stop}
            done, _ = await asyncio.wait(racing, timeout=pause_s, return_when=asyncio.FIRST_COMPLETED)
            if stop in done:
                return
            if not done:
                yield None
                continue
            try:
                item = waiting.result()
            except StopAsyncIteration:
                return
            waiting = None
            yield item
    finally:
        pending = [task for task in (waiting, stop) if task is not None]
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        if hasattr(source, "aclose"):
            await source.aclose()
