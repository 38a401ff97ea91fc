"""Rows that come one by one, as `async with` (starts and surely cancels) and `async for` (reads)."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from shared.errors import Invalid
from shared.routeros.channel import TaggedChannel
from shared.routeros.exchange import RowFeed
from shared.routeros.reply import Change, Row, change_of


class _Feed:
    def __init__(self, channel: TaggedChannel, command: str, words: tuple[str, ...]) -> None:
        self._channel = channel
        self._command = command
        self._words = words
        self._feed: RowFeed | None = None

    async def __aenter__(self) -> Self:
        self._feed = self._channel.feed(self._command, self._words)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._feed is not None:
            self._channel.abandon(self._feed)

    async def _next(self) -> Row:
        if self._feed is None:
            raise Invalid(f"{self._command}: enter with `async with` before reading")
        row = await self._feed.next_row()
        if row is None:
            raise StopAsyncIteration
        return row


class Changes(_Feed):
    """Changes of a menu. Ends only with the connection, or when the router itself ends the listen."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Change:
        return change_of(await self._next())


class RowStream(_Feed):
    """Rows of a going-on command, at most `most`."""

    def __init__(self, channel: TaggedChannel, command: str, words: tuple[str, ...], *, most: int | None) -> None:
        super().__init__(channel, command, words)
        self._left = most

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Row:
        if self._left == 0:
            raise StopAsyncIteration
        row = await self._next()
        if self._left is not None:
            self._left -= 1
        return row
