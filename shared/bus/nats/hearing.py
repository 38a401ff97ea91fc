"""Samples over plain subscriptions: nothing is stored, nothing is acknowledged."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

import nats.errors
import structlog
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from shared.bus.hearing import Hearing
from shared.bus.nats.connection import Connection
from shared.bus.nats.session import Session
from shared.errors import Unreachable

log = structlog.get_logger("bus")

_WAIT_S: Final = 3600.0
_PAUSE_S: Final = 0.1
_WAITING_BYTES: Final = 64 * 1024 * 1024
"""What may wait for a handler that is slow. The client library drops what comes beyond and says so in the log."""


class Hearer:
    """Listens, in one session after the other."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def hear(self, hearing: Hearing, *, queue: str) -> None:
        """Listen until cancelled; while the bus is away nothing is heard."""
        while True:
            try:
                session = await self._connection.session(wait_s=_WAIT_S)
                await self._hear_session(session, hearing, queue)
            except Unreachable as away:
                log.warning("listening waits", reason=str(away))
                await asyncio.sleep(_PAUSE_S)

    async def _hear_session(self, session: Session, hearing: Hearing, queue: str) -> None:
        async def on_message(message: Msg) -> None:
            await hearing.hear(message.headers, message.data)

        subscriptions: list[Subscription] = []
        try:
            for subject in hearing.filters:
                subscriptions.append(  # noqa: PERF401 - when one fails, those before it are ended
                    await session.client.subscribe(
                        subject, queue=queue, cb=on_message, pending_bytes_limit=_WAITING_BYTES
                    )
                )
            await session.lost.wait()
        except nats.errors.Error as error:
            raise Unreachable(f"the bus does not answer: {error}") from error
        finally:
            if session.alive:
                for subscription in subscriptions:
                    with suppress(nats.errors.Error, OSError):
                        await subscription.unsubscribe()
        raise Unreachable("the bus went away")
