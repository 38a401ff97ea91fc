"""Asking a consumer for messages: requests go out before the hands are empty, endings are noticed."""

from __future__ import annotations

import asyncio
import json
from enum import Enum
from typing import Final

import nats.errors
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from shared.bus.nats.session import NO_RESPONDERS, STATUS, Session
from shared.bus.nats.streams import nanoseconds
from shared.errors import Unreachable

_EXPIRES_S: Final = 30.0
_HEARTBEAT_S: Final = 5.0
_SILENCE_S: Final = 2.5 * _HEARTBEAT_S
_PENDING: Final = "Nats-Pending-Messages"


class ConsumerLostError(Exception):
    """The consumer or its stream is gone, or silent; it has to be looked for again."""


class Signal(Enum):
    """What a pull may yield besides messages."""

    WOKEN = "woken"  # somebody called `wake`
    NOTHING_NOW = "nothing now"  # the answer to `ask(now=True)` when nothing is left


class Pull:
    """The way from one consumer to one queue, within one session."""

    def __init__(self, session: Session, stream: str, consumer: str) -> None:
        self._session = session
        self._next = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
        self._queue: asyncio.Queue[Msg | Signal | None] = asyncio.Queue()
        self._inbox = session.client.new_inbox()
        self._subscription: Subscription | None = None
        self._watch: asyncio.Task[None] | None = None
        self.asked = 0  # messages asked for that have not come

    async def __aenter__(self) -> Pull:
        try:
            self._subscription = await self._session.client.subscribe(self._inbox, cb=self._on_message)
        except nats.errors.Error as error:
            raise Unreachable(f"the bus does not answer: {error}") from error
        self._watch = asyncio.create_task(self._tell_loss(), name="pull watch")
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._watch is not None:
            self._watch.cancel()
        if self._subscription is not None and self._session.alive:
            try:
                await self._subscription.unsubscribe()
            except nats.errors.Error:
                return  # the session ended meanwhile

    async def ask(self, batch: int, *, now: bool = False) -> None:
        """Ask for `batch` more; with `now` only for what is there already."""
        request: dict[str, object] = {"batch": batch}
        if now:
            request["no_wait"] = True
        else:
            request |= {"expires": nanoseconds(_EXPIRES_S), "idle_heartbeat": nanoseconds(_HEARTBEAT_S)}
        await self._session.say(self._next, json.dumps(request).encode(), reply=self._inbox)
        self.asked += batch

    def wake(self) -> None:
        """Make the one who waits in `next` look up."""
        self._queue.put_nowait(Signal.WOKEN)

    async def next(self) -> Msg | Signal:
        """The next message or signal. Raises ConsumerLostError, or Unreachable when the session ends."""
        while True:
            item = await self._item()
            if item is None:
                raise Unreachable("the bus went away")
            if isinstance(item, Signal):
                return item
            status = _status(item)
            if status is None:
                self.asked = max(self.asked - 1, 0)
                return item
            if self._ended(status, item):
                return Signal.NOTHING_NOW if status == "404" else Signal.WOKEN

    def left(self) -> list[Msg]:
        """The messages that arrived and that nobody took."""
        messages = []
        while not self._queue.empty():
            item = self._queue.get_nowait()
            if isinstance(item, Msg) and _status(item) is None:
                messages.append(item)
        return messages

    async def _item(self) -> Msg | Signal | None:
        if not self._queue.empty():
            return self._queue.get_nowait()
        if not self.asked:
            return await self._queue.get()
        try:
            async with asyncio.timeout(_SILENCE_S):
                return await self._queue.get()
        except TimeoutError as silent:
            raise ConsumerLostError("no heartbeat") from silent

    def _ended(self, status: str, message: Msg) -> bool:
        """Whether a status ended a request; heartbeats do not. Raises ConsumerLostError."""
        headers = message.headers or {}
        if status == "100":
            return False
        if status == NO_RESPONDERS or (status == "409" and _PENDING not in headers):
            raise ConsumerLostError(headers.get("Description", "no such consumer"))
        if status == "409" and "deleted" in headers.get("Description", "").lower():
            raise ConsumerLostError("consumer deleted")
        self.asked = max(self.asked - int(headers[_PENDING]), 0) if _PENDING in headers else 0
        return True

    async def _on_message(self, message: Msg) -> None:
        self._queue.put_nowait(message)

    async def _tell_loss(self) -> None:
        await self._session.lost.wait()
        self._queue.put_nowait(None)


def _status(message: Msg) -> str | None:
    # A message of a stream always has a reply subject to acknowledge it at; a status never has.
    if message.reply or not message.headers:
        return None
    return message.headers.get(STATUS)
