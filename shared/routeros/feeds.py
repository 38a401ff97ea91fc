"""Rows that come one by one, as `async with` (starts and surely cancels) and `async for` (reads)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self

from shared.errors import Invalid
from shared.routeros.channel import TaggedChannel
from shared.routeros.exchange import RowFeed
from shared.routeros.reply import Change, Reply, Row, change_of

RoundTrip = Callable[[], Coroutine[Any, Any, Reply]]


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
    """Changes of a menu. Ends only with the connection, or when the router itself ends the listen.

    Entering waits for one more round trip: commands of one connection run side by side at the router, so a
    listen that was only sent might begin after the table is read, and the change in between would be lost.
    Entering also raises what the router says against the listen at once (FeatureMissing, RightsMissing).
    """

    def __init__(self, channel: TaggedChannel, command: str, words: tuple[str, ...], round_trip: RoundTrip) -> None:
        super().__init__(channel, command, words)
        self._round_trip = round_trip

    async def __aenter__(self) -> Self:
        feed = self._feed = self._channel.feed(self._command, self._words)
        settled = asyncio.create_task(self._round_trip())
        try:
            await asyncio.wait((settled, feed.future), return_when=asyncio.FIRST_COMPLETED)
            if feed.future.done():
                feed.future.result()
            else:
                settled.result()
        except BaseException:
            self._channel.abandon(feed)
            raise
        finally:
            if not settled.done():
                settled.cancel()
            elif not settled.cancelled():
                settled.exception()
        return self

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
