"""What every stream of Server-Sent Events needs: headers, and a heartbeat that notices who has gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeVar

T = TypeVar("T")

HEARTBEAT_S = 15.0  # below the idle limits of usual proxies (60 s) with room to spare
SSE_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


async def with_pauses(source: AsyncIterator[T | None], pause_s: float) -> AsyncGenerator[T | None]:
    """What comes, and None whenever nothing came for `pause_s` or the source itself said None."""
    waiting: asyncio.Future[T | None] | None = None
    try:
        while True:
            waiting = waiting or asyncio.ensure_future(anext(source))
            done, _ = await asyncio.wait({waiting}, timeout=pause_s)
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
        if waiting is not None:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        if hasattr(source, "aclose"):
            await source.aclose()
