"""The bus on a NATS server with JetStream: one connection per service, everything else hangs on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from shared.bus.buckets import StreamBucket
from shared.bus.delivery import StoredMessage
from shared.bus.hearing import Hearing
from shared.bus.nats.buckets import NatsBucketStore
from shared.bus.nats.connection import Connection
from shared.bus.nats.consumer import Consumer
from shared.bus.nats.hearing import Hearer
from shared.bus.nats.publishing import Publishing
from shared.bus.nats.queries import Queries
from shared.bus.nats.queue_look import QueueLook
from shared.bus.nats.reading import Reader
from shared.bus.nats.session import STATUS
from shared.bus.nats.stored import from_direct
from shared.bus.nats.streams import bucket_stream, ensure_bucket, ensure_everything
from shared.bus.on_streams import StreamBus
from shared.bus.ports import Bucket, ConsumerSpec, Handler, Published
from shared.bus.workbench import Bury
from shared.clock import Clock, SystemClock
from shared.contracts.message import Message
from shared.contracts.queries import Answer, AnswerT, Query
from shared.contracts.streams import BucketSpec, Retention, StreamSpec

_READ_TIMEOUT_S = 5.0


class NatsBus(StreamBus):
    """What `shared.bus.ports.Bus` promises. Make one with `NatsBus.connect`."""

    def __init__(self, connection: Connection, *, source: str, clock: Clock, wait_s: float) -> None:
        super().__init__(source=source, clock=clock)
        self._connection = connection
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
        patient: bool = False,
    ) -> AsyncIterator[NatsBus]:
        """A bus connected to `url` (`nats://user:password@host:port`, several separated by commas).

        `name` is what the server's monitoring shows, `source` what the CloudEvents say. The first connection may take
        `connect_wait_s` (after that Unreachable is raised or, if `patient`, life goes on without; NotAllowed comes at
        once); later ones come back by themselves, and meanwhile nothing waits longer than `wait_s` before it raises
        Unreachable.
        """
        clock = clock or SystemClock()
        connection = Connection(url, name=name, clock=clock, prepare=ensure_everything)
        async with connection.opened(wait_s=connect_wait_s, patient=patient):
            yield cls(connection, source=source, clock=clock, wait_s=wait_s)

    @property
    def connected(self) -> bool:
        return self._connection.connected

    def healthy(self, grace: timedelta) -> bool:
        """Connected, or away for less than `grace`: a restart of the server is no reason to restart the services."""
        return self._connection.healthy(grace)

    async def publish_stored(self, subject: str, headers: Mapping[str, str], body: bytes) -> Published:
        return await self._publishing.store(subject, headers, body)

    async def say(self, subject: str, headers: Mapping[str, str], body: bytes) -> None:
        session = await self._connection.session(wait_s=0)
        await session.say(subject, body, headers=headers)

    async def hear(self, types: Sequence[type[Message]], handler: Handler, *, queue: str) -> None:
        await Hearer(self._connection).hear(Hearing(types, handler), queue=queue)

    async def work(self, spec: ConsumerSpec, handlers: Mapping[type[Message], Sequence[Handler]], bury: Bury) -> None:
        await Consumer(self._connection, spec, clock=self._clock).run(handlers, bury)

    def messages(
        self,
        stream: StreamSpec,
        filters: tuple[str, ...],
        *,
        after: int | None,
        last_per_subject: bool,
        follow: bool,
    ) -> AsyncIterator[StoredMessage | None]:
        if stream.retention is Retention.WORK_QUEUE:
            return QueueLook(self._connection, stream.name, filters, wait_s=self._wait_s).messages(
                after=after, last_per_subject=last_per_subject, follow=follow
            )
        reader = Reader(self._connection, stream.name, filters, after=after, last_per_subject=last_per_subject)
        return reader.messages(follow=follow, patient=follow)

    async def request(self, query: Query[AnswerT], *, deadline: timedelta | None = None) -> AnswerT:
        return await self._queries.request(query, self.envelope(query), deadline=deadline)

    async def serve(
        self, query_type: type[Query[AnswerT]], answer: Callable[[Any], Awaitable[Answer]], *, queue: str | None
    ) -> None:
        await self._queries.serve(query_type, answer, queue=queue)

    async def bucket(self, spec: BucketSpec) -> Bucket:
        session = await self._connection.session(wait_s=self._wait_s)
        await ensure_bucket(session, spec)
        store = NatsBucketStore(bucket_stream(spec), self._connection, self._publishing, wait_s=self._wait_s)
        return StreamBucket(spec, store)

    async def stored_at(self, stream: StreamSpec, sequence: int) -> StoredMessage | None:
        session = await self._connection.session(wait_s=self._wait_s)
        subject = f"$JS.API.DIRECT.GET.{stream.name}"
        answer = await session.ask(subject, b'{"seq": %d}' % sequence, timeout=_READ_TIMEOUT_S)
        return None if (answer.headers or {}).get(STATUS) else from_direct(answer)

    async def remove_stored(self, stream: StreamSpec, sequence: int) -> None:
        session = await self._connection.session(wait_s=self._wait_s)
        await session.api(f"STREAM.MSG.DELETE.{stream.name}", {"seq": sequence})
