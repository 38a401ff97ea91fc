"""What the rest of Ronda may ask of the bus, in our own words.

Two adapters keep these promises and pass the same cases: `shared.bus.nats` on a NATS server and `shared.bus.memory`
inside one process. Services and handlers see only this file and `shared.contracts`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from shared.contracts.envelope import Envelope
from shared.contracts.message import Message
from shared.contracts.queries import Answer, AnswerT, Query
from shared.contracts.streams import BucketSpec, StreamSpec

M = TypeVar("M", bound=Message)

Handler = Callable[[Any], Awaitable[None]]
"""A coroutine that takes one message. It runs at least once per message: twice must be harmless.

What it raises decides the message's fate: nothing → done; `Temporary` → again later with growing delay (or its
`retry_after`); any other `RondaError` → dead letter with its reason; anything else is our bug: logged, tried again, and
dead-lettered when the tries run out. The envelope of the message at hand is `shared.bus.context.current_envelope()`;
whatever is published meanwhile continues its correlation id and trace by itself.
"""


@dataclass(frozen=True, slots=True)
class Published:
    """The stream's receipt. `duplicate`: the stream knew this id already and kept the first one."""

    stream: str
    sequence: int
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it was stored: for readers that need more than the message itself."""

    message: Message
    envelope: Envelope
    subject: str
    sequence: int
    stored_at: datetime
    redelivered: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A value in a bucket. `revision` is what `update` and `delete` compare."""

    key: str
    value: bytes
    revision: int


@dataclass(frozen=True, slots=True)
class Gone:
    """A key that was deleted or ran out."""

    key: str
    revision: int


@dataclass(frozen=True, slots=True)
class ConsumerSpec:
    """A durable consumer: `name` is unique per stream and stays; several processes with the same name share the work.

    `ordered_by_subject`: messages of one subject are handled one after the other, in order; different subjects at once.
    """

    name: str
    stream: StreamSpec
    filters: tuple[str, ...]
    max_in_flight: int = 64
    ack_wait_s: float = 30.0
    max_deliver: int = 20
    ordered_by_subject: bool = True


class NotHere(Exception):
    """Raised by who answers a query without a queue: somebody else holds what is asked for, and will answer."""


class Bucket(Protocol):
    """A key-value bucket with compare-and-set."""

    async def get(self, key: str) -> Entry | None: ...

    async def put(self, key: str, value: bytes) -> int:
        """Write whatever was there; answers the new revision."""
        ...

    async def create(self, key: str, value: bytes) -> int:
        """Write only if the key is absent; raises Conflict otherwise."""
        ...

    async def update(self, key: str, value: bytes, *, revision: int) -> int:
        """Write only if the key's revision is still `revision`; raises Conflict otherwise."""
        ...

    async def delete(self, key: str, *, revision: int | None = None) -> None:
        """Remove the key; with a revision only if it is still that one (Conflict otherwise)."""
        ...

    async def keys(self, prefix: str = "") -> list[str]:
        """The keys that begin with `prefix`."""
        ...

    def watch(self, prefix: str = "") -> AsyncIterator[Entry | Gone | None]:
        """All entries whose key begins with `prefix`, then one None, then every change as it happens."""
        ...


class Bus(Protocol):
    """One service's connection to the bus."""

    async def publish(
        self, message: Message, *, cause: Envelope | None = None, ttl_s: float | None = None
    ) -> Published:
        """Store a message in its stream and wait for the receipt. Raises Unreachable while the bus is away."""
        ...

    async def publish_stored(self, subject: str, headers: Mapping[str, str], body: bytes) -> Published:
        """Publish what an outbox kept, exactly as it was written."""
        ...

    async def publish_sample(self, message: Message) -> None:
        """Say a measurement that nobody stores; it may be lost."""
        ...

    async def hear(self, types: Sequence[type[Message]], handler: Handler, *, queue: str) -> None:
        """Listen for samples until cancelled. Each is heard at most once by one process of each `queue`.

        One at a time per type, in the order they were said by one speaker. What cannot be read, what a handler fails
        on and what waits for too slow a handler is left out (and logged): nobody says a sample again.
        """
        ...

    async def consume(self, spec: ConsumerSpec, handlers: Mapping[type[Message], Sequence[Handler]]) -> None:
        """Handle messages until cancelled; on cancellation what is in hand is finished or given back."""
        ...

    def read(
        self,
        stream: StreamSpec,
        *filters: str,
        after_sequence: int | None = None,
        last_per_subject: bool = False,
        follow: bool = True,
    ) -> AsyncIterator[Received | None]:
        """Read a stream without consuming it, in order: from after a sequence, or only the last per subject.

        Neither given: only what comes from now on. `None` is said once, when everything stored so far has been said;
        without `follow` the iterator ends there. Messages that cannot be read are left out (and logged).
        """
        ...

    async def request(self, query: Query[AnswerT], *, deadline: timedelta | None = None) -> AnswerT:
        """Ask and wait. Raises the answering service's own error (same class), Unreachable if nobody serves the query,
        DeadlineExceeded if the answer is late."""
        ...

    async def serve(
        self, query_type: type[Query[AnswerT]], answer: Callable[[Any], Awaitable[Answer]], *, queue: str | None
    ) -> None:
        """Answer queries of this type until cancelled; services of the same `queue` share them.

        Without a queue every one who serves is asked, and whose `answer` raises `NotHere` stays silent: for what one
        of several holds and nobody else can know. The first who says something is heard. Are all silent, the asking
        side waits until its deadline.
        """
        ...

    async def bucket(self, spec: BucketSpec) -> Bucket:
        """Open a bucket."""
        ...

    @property
    def connected(self) -> bool:
        """Whether the server answers now."""
        ...
