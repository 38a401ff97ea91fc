"""What the buses of one process meet at: streams, consumers, and who answers queries."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from shared.bus.answering import Answering
from shared.bus.delivery import StoredMessage
from shared.bus.memory.consumer import MemoryConsumer
from shared.bus.memory.stream import MemoryStream
from shared.bus.ports import ConsumerSpec, Published
from shared.bus.subjects import matches, matches_any
from shared.clock import Clock
from shared.contracts.streams import STREAMS, BucketSpec, StreamSpec
from shared.errors import Unreachable


@dataclass(frozen=True, slots=True)
class Seat:
    """Somebody who answers: where, in which queue."""

    subject: str
    queue: str | None
    answering: Answering


@dataclass(frozen=True, slots=True, eq=False)
class Ear:
    """Somebody who listens for what nobody stores: where, in which queue, and what waits to be handled."""

    filters: tuple[str, ...]
    queue: str
    heard: asyncio.Queue[StoredMessage] = field(default_factory=asyncio.Queue)


@dataclass
class MemoryServer:
    """The stand-in of a NATS server. `away`: as if it did not answer."""

    clock: Clock
    away: bool = False
    said: list[StoredMessage] = field(default_factory=list)  # what nobody stores: samples, for tests to look at
    _streams: dict[str, MemoryStream] = field(default_factory=dict)
    _buckets: dict[str, MemoryStream] = field(default_factory=dict)
    _consumers: dict[tuple[str, str], MemoryConsumer] = field(default_factory=dict)
    _seats: list[Seat] = field(default_factory=list)
    _ears: list[Ear] = field(default_factory=list)

    def __post_init__(self) -> None:
        for spec in STREAMS:
            self.stream(spec)

    def check(self) -> None:
        """Raise Unreachable while away."""
        if self.away:
            raise Unreachable("the bus does not answer")

    def stream(self, spec: StreamSpec) -> MemoryStream:
        """A stream, made if it is new."""
        self.check()
        return self._streams.setdefault(spec.name, MemoryStream(spec, clock=self.clock))

    def store(self, subject: str, headers: Mapping[str, str], body: bytes) -> Published:
        """Store a message where its subject belongs; Unreachable if no stream takes it, as on a real server."""
        self.check()
        for stream in self._streams.values():
            if stream.takes(subject):
                return stream.store(subject, headers, body)
        raise Unreachable(f"no stream takes {subject}")

    def consumer(self, spec: ConsumerSpec) -> MemoryConsumer:
        """A durable consumer, made if it is new."""
        stream = self.stream(spec.stream)
        key = (spec.stream.name, spec.name)
        return self._consumers.setdefault(key, MemoryConsumer(spec, stream, self.clock))

    def bucket(self, spec: BucketSpec) -> MemoryBucketStore:
        """The stream behind a bucket."""
        self.check()
        stream = self._buckets.get(spec.name)
        if stream is None:
            description = StreamSpec(
                name=f"KV_{spec.name}",
                subjects=(f"$KV.{spec.name}.>",),
                purpose=spec.purpose,
                max_age_s=spec.ttl_s,
                max_per_subject=spec.history,
                message_ttl=True,
            )
            stream = MemoryStream(description, clock=self.clock, marker_ttl_s=spec.marker_ttl_s)
            self._buckets[spec.name] = stream
        return MemoryBucketStore(self, stream)

    def say(self, message: StoredMessage) -> None:
        """Hand a message to the next in turn of each queue that listens there."""
        self.check()
        self.said.append(message)
        queues: set[str] = set()
        for ear in list(self._ears):
            if ear.queue not in queues and matches_any(ear.filters, message.subject):
                queues.add(ear.queue)
                self._ears.remove(ear)
                self._ears.append(ear)
                ear.heard.put_nowait(message)

    def listen(self, ear: Ear) -> None:
        """Begin to listen."""
        self._ears.append(ear)

    def stop_listening(self, ear: Ear) -> None:
        """Listen no more."""
        self._ears.remove(ear)

    def sit(self, seat: Seat) -> None:
        """Begin to answer."""
        self._seats.append(seat)

    def leave(self, seat: Seat) -> None:
        """Stop answering."""
        self._seats.remove(seat)

    def who_answers(self, subject: str) -> list[Answering]:
        """The next in turn of each queue, and all without one; Unreachable if nobody answers `subject`."""
        self.check()
        asked: list[Seat] = []
        for seat in self._seats:
            taken = seat.queue is not None and any(other.queue == seat.queue for other in asked)
            if matches(seat.subject, subject) and not taken:
                asked.append(seat)
        if not asked:
            raise Unreachable("nobody on the bus serves this")
        for seat in asked:
            self._seats.remove(seat)
            self._seats.append(seat)
        return [seat.answering for seat in asked]


@dataclass(frozen=True, slots=True)
class MemoryBucketStore:
    """What `shared.bus.buckets.BucketStore` promises."""

    server: MemoryServer
    stream: MemoryStream

    async def write(self, subject: str, headers: Mapping[str, str], value: bytes) -> int:
        self.server.check()
        return self.stream.store(subject, headers, value).sequence

    async def last(self, subject: str) -> StoredMessage | None:
        self.server.check()
        return self.stream.last(subject)

    def last_per_subject(self, subject_filter: str, *, follow: bool) -> AsyncIterator[StoredMessage | None]:
        return self.stream.read((subject_filter,), after=None, last_per_subject=True, follow=follow)
