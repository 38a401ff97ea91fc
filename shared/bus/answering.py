"""One query through its answering function, with one log line; the same for every transport."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog

from shared.bus.context import handling
from shared.bus.parsing import parse_body
from shared.bus.ports import NotHere
from shared.contracts.envelope import Envelope
from shared.contracts.message import Message
from shared.contracts.queries import Answer
from shared.errors import DeadlineExceeded, RondaError

log = structlog.get_logger("bus")


class Answering:
    """A query type and the coroutine that answers it."""

    def __init__(self, query_type: type[Message], answer: Callable[[Any], Awaitable[Answer]]) -> None:
        self._query_type = query_type
        self._answer = answer

    async def answer(self, headers: Mapping[str, str] | None, body: bytes, *, timeout: float | None) -> bytes:
        """The body of the answer. Raises NotHere, and errors of our tree; a bug of ours becomes a nameless one."""
        started = time.monotonic()
        envelope = Envelope.from_headers(headers)
        outcome = "answered"
        try:
            query = parse_body(self._query_type, body)
            with (
                handling(envelope),
                structlog.contextvars.bound_contextvars(
                    message_type=envelope.type, correlation_id=envelope.correlation_id
                ),
            ):
                return await self._within(query, timeout)
        except NotHere:
            outcome = "not here"
            raise
        except RondaError as error:
            outcome = error.code
            raise
        except Exception as bug:
            outcome = "bug"
            log.exception("answer has a bug", message_type=envelope.type, correlation_id=envelope.correlation_id)
            raise RondaError("the service that answers made a mistake; its log has the details") from bug
        finally:
            say = log.debug if outcome == "not here" else log.info
            say(
                "query answered",
                message_type=envelope.type,
                correlation_id=envelope.correlation_id,
                outcome=outcome,
                took_ms=round((time.monotonic() - started) * 1000, 1),
            )

    async def _within(self, query: Message, timeout: float | None) -> bytes:
        limit = asyncio.timeout(timeout)
        try:
            async with limit:
                return (await self._answer(query)).model_dump_json().encode()
        except TimeoutError as late:
            if not limit.expired():
                raise
            raise DeadlineExceeded("the answer took too long") from late
