"""Storing messages: every receipt is the stream's own, and nothing waits in a buffer of ours."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from shared.bus.nats.connection import Connection
from shared.bus.nats.session import NobodyThereError, Session, read_answer
from shared.bus.nats.streams import ensure_everything
from shared.bus.ports import Published
from shared.contracts.envelope import MSG_ID_HEADER
from shared.errors import Busy, DeadlineExceeded, Temporary, Unreachable

ANSWER_TIMEOUT_S: Final = 5.0
_PAUSE_S = 0.1


class Publishing:
    """Publishes within `wait_s` seconds or raises Unreachable."""

    def __init__(self, connection: Connection, *, wait_s: float) -> None:
        self._connection = connection
        self._wait_s = wait_s

    async def store(self, subject: str, headers: Mapping[str, str], body: bytes) -> Published:
        """Store a message and answer the stream's receipt.

        With a deduplication id it is said again after a loss of connection, as often as the time allows: the stream
        keeps one. Without, a second try could store it twice, so the caller decides.
        """
        identified = MSG_ID_HEADER in headers
        clock = asyncio.get_running_loop().time
        deadline = clock() + self._wait_s
        while True:
            session = await self._connection.session(wait_s=max(deadline - clock(), 0))
            try:
                return await self._store_once(session, subject, headers, body)
            except (Unreachable, DeadlineExceeded, Busy) as error:
                repeatable = identified or isinstance(error, (NobodyThereError, Busy))
                if not repeatable or clock() + _PAUSE_S >= deadline:
                    raise Unreachable(f"the bus did not store the message: {error}") from error
            await self._mend(session)
            await asyncio.sleep(_PAUSE_S)

    async def _mend(self, session: Session) -> None:
        """Make the streams again: somebody may have removed the one that did not answer."""
        if session.alive:
            with suppress(Temporary):
                await ensure_everything(session)

    async def _store_once(self, session: Session, subject: str, headers: Mapping[str, str], body: bytes) -> Published:
        timeout = min(ANSWER_TIMEOUT_S, self._wait_s)
        receipt = read_answer(await session.ask(subject, body, headers=headers, timeout=timeout))
        return Published(
            stream=receipt["stream"], sequence=receipt["seq"], duplicate=bool(receipt.get("duplicate", False))
        )
