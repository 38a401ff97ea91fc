"""Where everything that comes in passes: remembered first, then answered, each once.

The channel may forget a message as soon as `accept` returns. What was remembered and not answered when the process died
is answered after the restart, if that is still of use.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

import structlog

from services.notifier.handlers.conversation import Conversation
from services.notifier.ports import Incoming, Store
from shared.clock import Clock
from shared.contracts.vocabulary import Channel
from shared.errors import RondaError, Temporary

log = structlog.get_logger("notifier")

STILL_OF_USE = timedelta(minutes=10)
WORKERS = 16  # questions answered at once; a ping of 20 packets takes one of them for 20 s
TRIES = 4
LONGEST_WAIT_S = 5.0


class Reception:
    """Takes messages from the channels and has them answered."""

    def __init__(
        self,
        conversation: Conversation,
        *,
        store: Store,
        clock: Clock,
        channels: Sequence[Channel],
        ready: asyncio.Event | None = None,
    ) -> None:
        """`ready`: nothing is answered before, because without the inventory everybody is a stranger."""
        self._conversation = conversation
        self._store = store
        self._clock = clock
        self._channels = tuple(channels)
        self._ready = ready
        self._open = False
        self._turn = asyncio.Lock()
        self._queue: asyncio.Queue[Incoming] = asyncio.Queue()

    async def accept(self, incoming: Sequence[Incoming]) -> None:
        """Remember what came in; known messages are dropped. Raises Unreachable if it cannot be remembered."""
        if not incoming:
            return
        async with self._turn:
            for one in await self._store.receive(incoming, now=self._clock.now()):
                if self._open:  # before, `run` finds it in the store with whatever else was left
                    self._queue.put_nowait(one)

    async def run(self) -> None:
        """Answer until cancelled, beginning with what an earlier process left."""
        if self._ready is not None:
            await self._ready.wait()
        while not self._open:
            try:
                await self._take_up_what_was_left()
            except Temporary as away:
                log.warning("what came in before is not known yet", reason=str(away))
                await asyncio.sleep(LONGEST_WAIT_S / 5)
        async with asyncio.TaskGroup() as group:
            for _ in range(WORKERS):
                group.create_task(self._work())

    async def _take_up_what_was_left(self) -> None:
        since = self._clock.now() - STILL_OF_USE
        async with self._turn:
            for channel in self._channels:
                for left in await self._store.unanswered(channel, since=since):
                    self._queue.put_nowait(left)
            self._open = True

    async def _work(self) -> None:
        while True:
            incoming = await self._queue.get()
            await self._answer(incoming)

    async def _answer(self, incoming: Incoming) -> None:
        """Answer, trying again while the reason may pass. What cannot be answered is not taken up after a restart."""
        for attempt in range(1, TRIES + 1):
            try:
                await self._conversation.answer(incoming)
                await self._store.answered(incoming.channel, incoming.key)
            except Temporary as error:
                if attempt == TRIES:
                    log.warning("question not answered", channel=incoming.channel, reason=str(error))
                    return
                await asyncio.sleep(min(error.retry_after or 2.0**attempt / 4, LONGEST_WAIT_S))
            except Exception as error:  # noqa: BLE001 - the edge: one question must not end the bot
                await self._give_up(incoming, error)
                return
            else:
                return

    async def _give_up(self, incoming: Incoming, error: Exception) -> None:
        if isinstance(error, RondaError):
            log.warning("question cannot be answered", channel=incoming.channel, reason=str(error))
        else:
            log.error("answering has a bug", channel=incoming.channel, exc_info=error)
        with suppress(RondaError):
            await self._store.answered(incoming.channel, incoming.key)
