"""Reading a stream in order without consuming it, across losses of the connection and of the server's memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import structlog

from shared.bus.delivery import StoredMessage
from shared.bus.nats.connection import Connection
from shared.bus.nats.pulling import ConsumerLostError, Pull, Signal
from shared.bus.nats.session import Session
from shared.bus.nats.stored import from_delivered, place_of
from shared.bus.nats.streams import nanoseconds
from shared.errors import NotFound, RondaError, Unreachable

log = structlog.get_logger("bus")

_BATCH = 256
_IDLE_S = 60.0  # the server forgets a reader that has not asked for so long
_WAIT_S = 3600.0
_PAUSE_S = 0.2


class Reader:
    """A place in a stream. `last` is the sequence up to which everything has been said."""

    def __init__(
        self,
        connection: Connection,
        stream: str,
        filters: tuple[str, ...],
        *,
        after: int | None,
        last_per_subject: bool,
    ) -> None:
        self._connection = connection
        self._stream = stream
        self._filters = filters
        self._after = after
        self._snapshot = last_per_subject
        self._last: int | None = None
        self._caught_up = False

    async def messages(self, *, follow: bool, patient: bool = True) -> AsyncIterator[StoredMessage | None]:
        """Everything from the place on, with one None when all that was stored has been said.

        `patient`: wait for the bus when it is away; otherwise Unreachable is raised.
        """
        while True:
            try:
                session = await self._connection.session(wait_s=_WAIT_S if patient else 0)
                name = await self._place(session)
                async with Pull(session, self._stream, name) as pull:
                    async for message in self._pulled(pull):
                        yield message
                        if message is None and not follow:
                            return
            except (Unreachable, ConsumerLostError, NotFound) as error:
                if not patient:
                    raise Unreachable(f"the stream {self._stream} cannot be read: {error}") from error
                log.warning("reader waits", stream=self._stream, reason=str(error))
                await asyncio.sleep(_PAUSE_S)
            except RondaError as error:
                if not error.retryable or not patient:
                    raise
                await asyncio.sleep(_PAUSE_S)

    async def _pulled(self, pull: Pull) -> AsyncIterator[StoredMessage | None]:
        expected = 1
        while True:
            if pull.asked <= _BATCH // 4:
                await pull.ask(_BATCH - pull.asked, now=not self._caught_up)
            item = await pull.next()
            if item is Signal.NOTHING_NOW and not self._caught_up:
                self._caught_up = True
                yield None
            if isinstance(item, Signal):
                continue
            place = place_of(item)
            if place.number != expected:
                raise ConsumerLostError("a message is missing")
            expected += 1
            message = from_delivered(item, place)
            if self._last is not None and message.sequence <= self._last:
                continue  # said before the connection was lost
            self._last = message.sequence
            yield message

    async def _place(self, session: Session) -> str:
        """A consumer of the server's that begins where we are."""
        config: dict[str, Any] = {
            "name": f"read-{session.client.new_inbox().rpartition('.')[2]}",
            "ack_policy": "none",
            "replay_policy": "instant",
            "mem_storage": True,
            "inactive_threshold": nanoseconds(_IDLE_S),
            "filter_subjects": list(self._filters) or [">"],
            **await self._start(session),
        }
        request = {"stream_name": self._stream, "config": config, "action": "create"}
        await session.api(f"CONSUMER.CREATE.{self._stream}.{config['name']}", request)
        return str(config["name"])

    async def _start(self, session: Session) -> dict[str, Any]:
        newest = int((await session.api(f"STREAM.INFO.{self._stream}"))["state"]["last_seq"])
        if self._last is not None and newest < self._last:
            log.warning("stream was made anew", stream=self._stream)
            self._last = 0
        if self._snapshot and (self._last is None or not self._caught_up):
            return {"deliver_policy": "last_per_subject"}
        if self._last is None:
            self._last = self._after if self._after is not None else newest
        return {"deliver_policy": "by_start_sequence", "opt_start_seq": self._last + 1}
