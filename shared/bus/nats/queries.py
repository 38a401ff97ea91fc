"""Questions with a deadline, over the server's request and reply."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

import nats.errors
import structlog
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from shared.bus.answering import Answering
from shared.bus.faults import fault_headers, raise_fault
from shared.bus.nats.connection import Connection
from shared.bus.nats.session import Session
from shared.bus.parsing import parse_answer
from shared.bus.ports import NotHere
from shared.contracts.envelope import Envelope
from shared.contracts.queries import Answer, AnswerT, Query
from shared.errors import RondaError, Unreachable

log = structlog.get_logger("bus")

TIMEOUT_HEADER: Final = "ronda-timeout-s"
_WAIT_S = 3600.0
_PAUSE_S = 0.1
_LEAVING_S = 2.0


class Queries:
    """Asks and answers."""

    def __init__(self, connection: Connection, *, wait_s: float) -> None:
        self._connection = connection
        self._wait_s = wait_s

    async def request(self, query: Query[AnswerT], envelope: Envelope, *, deadline: timedelta | None) -> AnswerT:
        """Ask and wait at most `deadline`, which the one who answers is told."""
        timeout_s = deadline.total_seconds() if deadline is not None else query.DEADLINE_S
        session = await self._connection.session(wait_s=min(self._wait_s, timeout_s))
        headers = {**envelope.headers(), TIMEOUT_HEADER: f"{timeout_s:g}"}
        answer = await session.ask(query.subject, query.model_dump_json().encode(), headers=headers, timeout=timeout_s)
        raise_fault(answer.headers)
        answer_type: type[Any] = query.ANSWER
        return parse_answer(answer_type, answer.data)  # type: ignore[no-any-return]

    async def serve(
        self, query_type: type[Query[AnswerT]], answer: Callable[[Any], Awaitable[Answer]], *, queue: str | None
    ) -> None:
        """Answer until cancelled; whoever is being answered then is told that we are away."""
        answering = Answering(query_type, answer)
        while True:
            try:
                session = await self._connection.session(wait_s=_WAIT_S)
                await self._serve_session(session, query_type, answering, queue)
            except Unreachable as away:
                log.warning("answering waits", message_type=query_type.type_name(), reason=str(away))
                await asyncio.sleep(_PAUSE_S)

    async def _serve_session(
        self, session: Session, query_type: type[Query[AnswerT]], answering: Answering, queue: str | None
    ) -> None:
        running: set[asyncio.Task[None]] = set()

        async def on_request(request: Msg) -> None:
            task = asyncio.create_task(_answer_one(session, request, answering), name=query_type.type_name())
            running.add(task)
            task.add_done_callback(running.discard)

        try:
            subscription = await session.client.subscribe(query_type.filter(), queue=queue or "", cb=on_request)
        except nats.errors.Error as error:
            raise Unreachable(f"the bus does not answer: {error}") from error
        try:
            await session.lost.wait()
        finally:
            if session.alive:
                await _leave(subscription)
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        raise Unreachable("the bus went away")


async def _leave(subscription: Subscription) -> None:
    """Take no more questions. Those on the wire already are taken in first: dropped, they would wait out their time."""
    try:
        async with asyncio.timeout(_LEAVING_S):
            await subscription.drain()  # type: ignore[no-untyped-call]
    except (nats.errors.Error, TimeoutError, OSError) as error:
        log.warning("questions may be left without an answer", reason=str(error) or type(error).__name__)


async def _answer_one(session: Session, request: Msg, answering: Answering) -> None:
    try:
        body = await answering.answer(request.headers, request.data, timeout=_timeout(request))
    except NotHere:
        return  # whoever holds it answers
    except RondaError as error:
        await _reply(session, request, b"", fault_headers(error))
    except asyncio.CancelledError:
        await _reply(session, request, b"", fault_headers(Unreachable("the service that answers is stopping")))
        raise
    else:
        await _reply(session, request, body, None)


async def _reply(session: Session, request: Msg, body: bytes, headers: dict[str, str] | None) -> None:
    if not request.reply:
        return
    try:
        await session.say(request.reply, body, headers=headers)
    except RondaError as error:
        log.warning("answer lost", reason=str(error))


def _timeout(request: Msg) -> float | None:
    try:
        return float((request.headers or {})[TIMEOUT_HEADER])
    except (KeyError, ValueError):
        return None
