"""What could not be handled: how it is kept in the stream DLQ, and how a person looks at it and tries it again.

A dead letter is the message as it was (headers and body) under `ronda.v1.dlq.<stream>.<consumer>`, with the reason and
its origin in headers of their own. Headers that steer the server (`Nats-…`) do not come along.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.bus.delivery import StoredMessage
from shared.bus.faults import one_line
from shared.bus.ports import Published
from shared.contracts.envelope import MSG_ID_HEADER
from shared.contracts.streams import DLQ, StreamSpec
from shared.contracts.subjects import Kind, subject
from shared.errors import NotFound, RondaError

REASON_HEADER = "ronda-dead-reason"
CODE_HEADER = "ronda-dead-code"
STREAM_HEADER = "ronda-dead-stream"
CONSUMER_HEADER = "ronda-dead-consumer"
SUBJECT_HEADER = "ronda-dead-subject"
SEQUENCE_HEADER = "ronda-dead-sequence"
TRIES_HEADER = "ronda-dead-tries"
_OURS = "ronda-dead-"
_SERVERS = "nats-"
BUG_CODE = "bug"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that nobody could handle. `headers` and `body` are the original's."""

    sequence: int  # in DLQ
    stream: str
    consumer: str
    subject: str
    original_sequence: int
    code: str
    reason: str
    tries: int
    died_at: datetime
    headers: Mapping[str, str]
    body: bytes

    @property
    def message_type(self) -> str:
        """What the message said it was; empty if it did not say."""
        return self.headers.get("ce-type", "")


class StreamStore(Protocol):
    """What looking at dead letters needs of a bus."""

    def stored(self, stream: StreamSpec, *filters: str) -> AsyncIterator[StoredMessage]:
        """Everything the stream holds now, in order."""
        ...

    async def stored_at(self, stream: StreamSpec, sequence: int) -> StoredMessage | None: ...

    async def remove_stored(self, stream: StreamSpec, sequence: int) -> None: ...

    async def publish_stored(self, subject: str, headers: Mapping[str, str], body: bytes) -> Published: ...


def dead_subject(stream: str, consumer: str) -> str:
    """Where the dead letters of a consumer go."""
    return subject(Kind.DEAD, stream, consumer)


def dead_headers(
    message: StoredMessage, *, stream: str, consumer: str, error: BaseException, tries: int
) -> dict[str, str]:
    """The headers of the dead letter of `message`."""
    expected = isinstance(error, RondaError)
    return {
        **_without_servers(message.headers),
        # The stream's name and sequence are not enough: a stream that was made anew counts from one again.
        MSG_ID_HEADER: f"dead:{stream}:{consumer}:{message.sequence}:{message.stored_at.timestamp():.6f}",
        REASON_HEADER: one_line(str(error) if expected else f"{type(error).__name__}: {error}"),
        CODE_HEADER: error.code if isinstance(error, RondaError) else BUG_CODE,
        STREAM_HEADER: stream,
        CONSUMER_HEADER: consumer,
        SUBJECT_HEADER: message.subject,
        SEQUENCE_HEADER: str(message.sequence),
        TRIES_HEADER: str(tries),
    }


class DeadLetters:
    """The operator's door to the stream DLQ."""

    def __init__(self, store: StreamStore) -> None:
        self._store = store

    async def list(self, *, stream: str | None = None, consumer: str | None = None) -> list[DeadLetter]:
        """The dead letters kept now, oldest first, of one stream or one consumer if asked."""
        letters = [_letter(message) async for message in self._store.stored(DLQ)]
        return [letter for letter in letters if stream in (None, letter.stream) and consumer in (None, letter.consumer)]

    async def show(self, sequence: int) -> DeadLetter:
        """One dead letter by its number; raises NotFound."""
        message = await self._store.stored_at(DLQ, sequence)
        if message is None:
            raise NotFound(f"there is no dead letter {sequence}")
        return _letter(message)

    async def replay(self, sequence: int) -> Published:
        """Publish the original again under its own subject and remove the dead letter; raises NotFound.

        The message keeps its CloudEvents id, so a consumer that did handle it notices; the stream's deduplication key
        is new, or the stream would drop what it has seen minutes ago.
        """
        letter = await self.show(sequence)
        identity = letter.headers.get("ce-id", f"{letter.stream}:{letter.original_sequence}")
        headers = {**letter.headers, MSG_ID_HEADER: f"{identity}:replay:{sequence}"}
        published = await self._store.publish_stored(letter.subject, headers, letter.body)
        await self._store.remove_stored(DLQ, sequence)
        return published

    async def remove(self, sequence: int) -> None:
        """Throw a dead letter away; raises NotFound."""
        await self.show(sequence)
        await self._store.remove_stored(DLQ, sequence)


def _without_servers(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if not name.lower().startswith(_SERVERS)}


def _letter(message: StoredMessage) -> DeadLetter:
    own = message.headers
    return DeadLetter(
        sequence=message.sequence,
        stream=own.get(STREAM_HEADER, ""),
        consumer=own.get(CONSUMER_HEADER, ""),
        subject=own.get(SUBJECT_HEADER, ""),
        original_sequence=int(own.get(SEQUENCE_HEADER, "0")),
        code=own.get(CODE_HEADER, ""),
        reason=own.get(REASON_HEADER, ""),
        tries=int(own.get(TRIES_HEADER, "0")),
        died_at=message.stored_at,
        headers={name: value for name, value in _without_servers(own).items() if not name.startswith(_OURS)},
        body=message.body,
    )
