"""The bus on a NATS server with JetStream: one connection per service, everything else hangs on it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import structlog

from shared.bus.context import current_envelope
from shared.bus.dead_letters import DeadLetters, dead_headers, dead_subject
from shared.bus.delivery import StoredMessage
from shared.bus.nats.buckets import NatsBucket
from shared.bus.nats.connection import Connection
from shared.bus.nats.consumer import Consumer
from shared.bus.nats.publishing import Publishing, ttl_header
from shared.bus.nats.queries import Queries
from shared.bus.nats.reading import Reader
from shared.bus.nats.session import STATUS
from shared.bus.nats.stored import from_direct
from shared.bus.nats.streams import ensure_bucket, ensure_everything
from shared.bus.parsing import parse_stored
from shared.bus.ports import Bucket, ConsumerSpec, Handler, Published, Received
from shared.clock import Clock, SystemClock
from shared.contracts.envelope import Envelope
from shared.contracts.message import Message
from shared.contracts.queries import Answer, AnswerT, Query
from shared.contracts.streams import BucketSpec, StreamSpec
from shared.errors import Invalid, RondaError

log = structlog.get_logger("bus")

_READ_TIMEOUT_S = 5.0


class NatsBus:
    """What `shared.bus.ports.Bus` promises. Make one with `NatsBus.connect`."""

    def __init__(self, connection: Connection, *, source: str, clock: Clock, wait_s: float) -> None:
        self._connection = connection
        self._source = source
        self._clock = clock
        self._wait_s = wait_s
        self._publishing = Publishing(connection, wait_s=wait_s)
        self._queries = Queries(connection, wait_s=wait_s)

    @classmethod
    @asynccontextmanager
    async def connect(
        cls,
        url: str,
        *,
        name: str,
        source: str,
        clock: Clock | None = None,
        connect_wait_s: float = 30.0,
        wait_s: float = 5.0,
    ) -> AsyncIterator[NatsBus]:
        """A bus connected to `url` (`nats://user:password@host:port`, several separated by commas).

        `name` is what the server's monitoring shows, `source` what the CloudEvents say. The first connection may take
        `connect_wait_s` (Unreachable after that, NotAllowed at once); later ones come back by themselves, and meanwhile
        nothing waits longer than `wait_s` before it raises Unreachable.
        """
        clock = clock or SystemClock()
        connection = Connection(url, name=name, clock=clock, prepare=ensure_everything)
        async with connection.opened(wait_s=connect_wait_s):
            yield cls(connection, source=source, clock=clock, wait_s=wait_s)

    @property
    def connected(self) -> bool:
        return self._connection.connected

    def healthy(self, grace: timedelta) -> bool:
        """Connected, or away for less than `grace`."""
        return self._connection.healthy(grace)

    @property
    def dead_letters(self) -> DeadLetters:
        """What could not be handled."""
        return DeadLetters(self)

    async def publish(
        self, message: Message, *, cause: Envelope | None = None, ttl_s: float | None = None
    ) -> Published:
        headers = self._envelope(message, cause).headers()
        ttl_s = ttl_s if ttl_s is not None else getattr(message, "TTL_S", None)
        if ttl_s is not None:
            headers |= ttl_header(ttl_s)
        return await self._publishing.store(message.subject, headers, _body(message))

    async def publish_stored(self, subject: str, headers: Mapping[str, str], body: bytes) -> Published:
        return await self._publishing.store(subject, headers, body)

    async def publish_sample(self, message: Message) -> None:
        with contextlib.suppress(RondaError):
            session = await self._connection.session(wait_s=0)
            await session.say(message.subject, _body(message), headers=self._envelope(message, None).headers())

    async def consume(self, spec: ConsumerSpec, handlers: Mapping[type[Message], Sequence[Handler]]) -> None:
        async def bury(message: StoredMessage, error: BaseException, tries: int) -> None:
            headers = dead_headers(message, stream=spec.stream.name, consumer=spec.name, error=error, tries=tries)
            await self._publishing.store(dead_subject(spec.stream.name, spec.name), headers, message.body)

        await Consumer(self._connection, spec, clock=self._clock).run(handlers, bury)

    async def read(
        self,
        stream: StreamSpec,
        *filters: str,
        after_sequence: int | None = None,
        last_per_subject: bool = False,
        follow: bool = True,
    ) -> AsyncIterator[Received | None]:
        reader = Reader(self._connection, stream.name, filters, after=after_sequence, last_per_subject=last_per_subject)
        async for stored in reader.messages(follow=follow, patient=follow):
            received = None if stored is None else _received(stored)
            if stored is None or received is not None:
                yield received

    async def request(self, query: Query[AnswerT], *, deadline: timedelta | None = None) -> AnswerT:
        return await self._queries.request(query, self._envelope(query, None), deadline=deadline)

    async def serve(
        self, query_type: type[Query[AnswerT]], answer: Callable[[Any], Awaitable[Answer]], *, queue: str
    ) -> None:
        await self._queries.serve(query_type, answer, queue=queue)

    async def bucket(self, spec: BucketSpec) -> Bucket:
        session = await self._connection.session(wait_s=self._wait_s)
        await ensure_bucket(session, spec)
        return NatsBucket(spec, self._connection, self._publishing, wait_s=self._wait_s)

    async def stored(self, stream: StreamSpec, *filters: str) -> AsyncIterator[StoredMessage]:
        """Everything the stream holds now, unread, in order."""
        reader = Reader(self._connection, stream.name, filters, after=0, last_per_subject=False)
        async for stored in reader.messages(follow=False, patient=False):
            if stored is not None:
                yield stored

    async def stored_at(self, stream: StreamSpec, sequence: int) -> StoredMessage | None:
        """One message of a stream by its number."""
        session = await self._connection.session(wait_s=self._wait_s)
        answer = await session.ask(
            f"$JS.API.DIRECT.GET.{stream.name}", b'{"seq": %d}' % sequence, timeout=_READ_TIMEOUT_S
        )
        return None if (answer.headers or {}).get(STATUS) else from_direct(answer)

    async def remove_stored(self, stream: StreamSpec, sequence: int) -> None:
        """Take one message out of a stream."""
        session = await self._connection.session(wait_s=self._wait_s)
        await session.api(f"STREAM.MSG.DELETE.{stream.name}", {"seq": sequence})

    def _envelope(self, message: Message, cause: Envelope | None) -> Envelope:
        return Envelope.around(message, source=self._source, now=self._clock.now(), cause=cause or current_envelope())


def _body(message: Message) -> bytes:
    return message.model_dump_json().encode()


def _received(stored: StoredMessage) -> Received | None:
    try:
        envelope, message = parse_stored(stored.headers, stored.body)
    except Invalid as fault:
        log.warning("message left out", subject=stored.subject, sequence=stored.sequence, reason=str(fault))
        return None
    return Received(
        message=message,
        envelope=envelope,
        subject=stored.subject,
        sequence=stored.sequence,
        stored_at=stored.stored_at,
        redelivered=False,
    )
