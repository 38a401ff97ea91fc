"""Looking at a work queue without taking from it.

The server allows no reader beside the workers of a work queue, so its messages are fetched one by one by number. That
is for people and tests who look, not for a service that follows a stream.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Final

from shared.bus.delivery import StoredMessage
from shared.bus.nats.connection import Connection
from shared.bus.nats.session import STATUS
from shared.bus.nats.stored import from_direct
from shared.bus.subjects import matches_any

_LOOK_EVERY_S: Final = 0.25
_READ_TIMEOUT_S: Final = 5.0


class QueueLook:
    """One look at a work queue."""

    def __init__(self, connection: Connection, stream: str, filters: tuple[str, ...], *, wait_s: float) -> None:
        self._connection = connection
        self._subject = f"$JS.API.DIRECT.GET.{stream}"
        self._info = f"STREAM.INFO.{stream}"
        self._filters = filters
        self._wait_s = wait_s

    async def messages(
        self, *, after: int | None, last_per_subject: bool, follow: bool
    ) -> AsyncIterator[StoredMessage | None]:
        """The same as `Reader.messages`."""
        place = 0 if last_per_subject else after
        if place is None:
            place = await self._newest()
        present = [one async for one in self._from(place)]
        newest = {one.subject: one.sequence for one in present}
        for stored in present:
            if not last_per_subject or newest[stored.subject] == stored.sequence:
                yield stored
        yield None
        place = max([place, *newest.values()])
        while follow:
            async for stored in self._from(place):
                place = stored.sequence
                yield stored
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _from(self, place: int) -> AsyncIterator[StoredMessage]:
        while (stored := await self._next(place)) is not None:
            place = stored.sequence
            if matches_any(self._filters, stored.subject):
                yield stored

    async def _next(self, place: int) -> StoredMessage | None:
        session = await self._connection.session(wait_s=self._wait_s)
        request = json.dumps({"seq": place + 1, "next_by_subj": ">"}).encode()
        answer = await session.ask(self._subject, request, timeout=_READ_TIMEOUT_S)
        return None if (answer.headers or {}).get(STATUS) else from_direct(answer)

    async def _newest(self) -> int:
        session = await self._connection.session(wait_s=self._wait_s)
        return int((await session.api(self._info))["state"]["last_seq"])
