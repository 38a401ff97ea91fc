"""One service's way to a bus in memory, which can be cut: refused at once, or hanging until the way is there again.

What hangs is done when the way is back, however late: as when a process is frozen between deciding and saying.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from shared.bus.memory import MemoryBus, MemoryServer
from shared.bus.ports import Bucket, Entry, Gone, Published
from shared.contracts.streams import BucketSpec
from shared.errors import Unreachable


class Way:
    """Open, refusing, or hanging."""

    def __init__(self) -> None:
        self.refusing = False
        self._open = asyncio.Event()
        self._open.set()

    def hang(self) -> None:
        self._open.clear()

    def refuse(self) -> None:
        self.refusing = True
        self._open.clear()

    def restore(self) -> None:
        self.refusing = False
        self._open.set()

    async def passed(self) -> None:
        if not self.refusing:
            await self._open.wait()
        if self.refusing:
            raise Unreachable("the bus does not answer")

    async def until_open(self) -> None:
        await self._open.wait()


class CutOffBus(MemoryBus):
    """A bus in memory behind a way of its own."""

    def __init__(self, server: MemoryServer, *, source: str) -> None:
        super().__init__(source=source, server=server)
        self.way = Way()

    @property
    def connected(self) -> bool:
        return not self.way.refusing

    async def publish_stored(self, subject: str, headers: Mapping[str, str], body: bytes) -> Published:
        await self.way.passed()
        return await super().publish_stored(subject, headers, body)

    async def messages(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        async for stored in super().messages(*args, **kwargs):
            await self.way.until_open()
            yield stored

    async def bucket(self, spec: BucketSpec) -> Bucket:
        await self.way.passed()
        return CutOffBucket(await super().bucket(spec), self.way)


class CutOffBucket:
    """A bucket behind a way."""

    def __init__(self, bucket: Bucket, way: Way) -> None:
        self._bucket = bucket
        self._way = way

    async def get(self, key: str) -> Entry | None:
        await self._way.passed()
        return await self._bucket.get(key)

    async def put(self, key: str, value: bytes) -> int:
        await self._way.passed()
        return await self._bucket.put(key, value)

    async def create(self, key: str, value: bytes) -> int:
        await self._way.passed()
        return await self._bucket.create(key, value)

    async def update(self, key: str, value: bytes, *, revision: int) -> int:
        await self._way.passed()
        return await self._bucket.update(key, value, revision=revision)

    async def delete(self, key: str, *, revision: int | None = None) -> None:
        await self._way.passed()
        await self._bucket.delete(key, revision=revision)

    async def keys(self, prefix: str = "") -> list[str]:
        await self._way.passed()
        return await self._bucket.keys(prefix)

    async def watch(self, prefix: str = "") -> AsyncIterator[Entry | Gone | None]:
        async for change in self._bucket.watch(prefix):
            await self._way.until_open()
            yield change
