"""The bus inside one process: for tests, and for trying things out without a server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from datetime import timedelta
from typing import Any

from shared.bus.answering import Answering
from shared.bus.buckets import StreamBucket
from shared.bus.delivery import StoredMessage
from shared.bus.faults import fault_headers, raise_fault
from shared.bus.hearing import Hearing
from shared.bus.memory.server import Ear, MemoryServer, Seat
from shared.bus.on_streams import StreamBus, body_of
from shared.bus.parsing import parse_answer
from shared.bus.ports import Bucket, ConsumerSpec, Handler, NotHere, Published
from shared.bus.workbench import Bury, Workbench
from shared.clock import Clock, SystemClock
from shared.contracts.message import Message
from shared.contracts.queries import Answer, AnswerT, Query
from shared.contracts.streams import BucketSpec, StreamSpec
from shared.errors import DeadlineExceeded, RondaError


class MemoryBus(StreamBus):
    """What `shared.bus.ports.Bus` promises. Buses of several services share one `server`."""

    def __init__(self, *, source: str, clock: Clock | None = None, server: MemoryServer | None = None) -> None:
        clock = clock or (server.clock if server else SystemClock())
        super().__init__(source=source, clock=clock)
        self.server = server or MemoryServer(clock)

    @property
    def connected(self) -> bool:
        return not self.server.away

    def healthy(self, grace: timedelta) -> bool:  # noqa: ARG002 the same words as on a real server
        """Connected."""
        return self.connected

    async def publish_stored(self, subject: str, headers: Mapping[str, str], body: bytes) -> Published:
        await asyncio.sleep(0)  # as on a real server, others get their turn
        return self.server.store(subject, headers, body)

    async def say(self, subject: str, headers: Mapping[str, str], body: bytes) -> None:
        self.server.say(StoredMessage(subject, dict(headers), body, 0, self._clock.now()))

    async def hear(self, types: Sequence[type[Message]], handler: Handler, *, queue: str) -> None:
        hearing = Hearing(types, handler)
        ear = Ear(hearing.filters, queue)
        self.server.listen(ear)
        try:
            while True:
                message = await ear.heard.get()
                await hearing.hear(message.headers, message.body)
        finally:
            self.server.stop_listening(ear)

    async def work(self, spec: ConsumerSpec, handlers: Mapping[type[Message], Sequence[Handler]], bury: Bury) -> None:
        async with Workbench(spec, handlers, bury=bury, clock=self._clock) as bench:
            await self.server.consumer(spec).feed(bench)

    def messages(
        self,
        stream: StreamSpec,
        filters: tuple[str, ...],
        *,
        after: int | None,
        last_per_subject: bool,
        follow: bool,
    ) -> AsyncIterator[StoredMessage | None]:
        return self.server.stream(stream).read(filters, after=after, last_per_subject=last_per_subject, follow=follow)

    async def request(self, query: Query[AnswerT], *, deadline: timedelta | None = None) -> AnswerT:
        timeout_s = deadline.total_seconds() if deadline is not None else query.DEADLINE_S
        asked = self.server.who_answers(query.subject)
        body = await self._asked(asked, query, timeout_s)
        answer_type: type[Any] = query.ANSWER
        return parse_answer(answer_type, body)  # type: ignore[no-any-return]

    async def serve(
        self, query_type: type[Query[AnswerT]], answer: Callable[[Any], Awaitable[Answer]], *, queue: str | None
    ) -> None:
        seat = Seat(query_type.filter(), queue, Answering(query_type, answer))
        self.server.sit(seat)
        try:
            await asyncio.Event().wait()
        finally:
            self.server.leave(seat)

    async def bucket(self, spec: BucketSpec) -> Bucket:
        return StreamBucket(spec, self.server.bucket(spec))

    async def stored_at(self, stream: StreamSpec, sequence: int) -> StoredMessage | None:
        return self.server.stream(stream).get(sequence)

    async def remove_stored(self, stream: StreamSpec, sequence: int) -> None:
        self.server.stream(stream).remove(sequence)

    async def _asked(self, asked: Sequence[Answering], query: Query[AnswerT], timeout_s: float) -> bytes:
        headers = self.envelope(query).headers()
        try:
            async with asyncio.timeout(timeout_s):
                return await _first_heard([one.answer(headers, body_of(query), timeout=None) for one in asked])
        except TimeoutError as late:
            raise DeadlineExceeded(f"no answer within {timeout_s:g} s") from late
        except RondaError as error:
            fault = fault_headers(error)
        raise_fault(fault)  # through headers, as on a real server: the error has another life here
        raise AssertionError("raise_fault raises what fault_headers wrote")


async def _first_heard(answers: Sequence[Coroutine[Any, Any, bytes]]) -> bytes:
    """The first who says something, right or wrong; silence for ever if nobody does."""
    tasks = [asyncio.create_task(answer) for answer in answers]
    try:
        for done in asyncio.as_completed(tasks):
            try:
                return await done
            except NotHere:
                continue
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
