"""A bucket that is opened when it is first needed: for a poller that starts while the bus is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from shared.bus.ports import Bucket, Entry, Gone
from shared.errors import Temporary

_PAUSE_S: Final = 1.0


class LaterBucket:
    """What `ports.Bucket` promises; Unreachable is raised while it cannot be opened."""

    def __init__(self, opened: Callable[[], Awaitable[Bucket]]) -> None:
        self._opened = opened
        self._bucket: Bucket | None = None

    async def get(self, key: str) -> Entry | None:
        return await (await self._open()).get(key)

    async def put(self, key: str, value: bytes) -> int:
        return await (await self._open()).put(key, value)

    async def create(self, key: str, value: bytes) -> int:
        return await (await self._open()).create(key, value)

    async def update(self, key: str, value: bytes, *, revision: int) -> int:
        return await (await self._open()).update(key, value, revision=revision)

    async def delete(self, key: str, *, revision: int | None = None) -> None:
        await (await self._open()).delete(key, revision=revision)

    async def keys(self, prefix: str = "") -> list[str]:
        return await (await self._open()).keys(prefix)

    async def watch(self, prefix: str = "") -> AsyncIterator[Entry | Gone | None]:
        """As patient as the bus' own watches."""
        while True:
            try:
                bucket = await self._open()
            except Temporary:
                await asyncio.sleep(_PAUSE_S)
                continue
            async for change in bucket.watch(prefix):
                yield change
            return

    async def _open(self) -> Bucket:
        if self._bucket is None:
            self._bucket = await self._opened()
        return self._bucket
