"""What both buses do alike: envelopes around messages, dead letters, reading back. The transports differ below this."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

import structlog

from shared.bus.context import current_envelope
from shared.bus.dead_letters import DeadLetters, dead_headers, dead_subject
from shared.bus.delivery import StoredMessage
from shared.bus.parsing import parse_stored
from shared.bus.ports import ConsumerSpec, Handler, Published, Received
from shared.bus.workbench import Bury
from shared.clock import Clock
from shared.contracts.envelope import Envelope
from shared.contracts.message import Message
from shared.contracts.streams import StreamSpec
from shared.errors import Invalid, Unreachable

log = structlog.get_logger("bus")

TTL_HEADER: Final = "Nats-TTL"


def ttl_header(ttl_s: float) -> dict[str, str]:
    """How long the server shall keep a message: whole seconds, at least one, as it wants them."""
    return {TTL_HEADER: f"{max(math.ceil(ttl_s), 1)}s"}


class StreamBus(ABC):
    """A bus whose transport keeps streams."""

    def __init__(self, *, source: str, clock: Clock) -> None:
        self._source = source
        self._clock = clock

    @abstractmethod
    async def publish_stored(self, subject: str, headers: Mapping[str, str], body: bytes) -> Published: ...

    @abstractmethod
    async def say(self, subject: str, headers: Mapping[str, str], body: bytes) -> None:
        """Publish what nobody stores; raises Unreachable."""

    @abstractmethod
    async def work(self, spec: ConsumerSpec, handlers: Mapping[type[Message], Sequence[Handler]], bury: Bury) -> None:
        """Handle messages until cancelled, storing dead letters by `bury`."""

    @abstractmethod
    def messages(
        self,
        stream: StreamSpec,
        filters: tuple[str, ...],
        *,
        after: int | None,
        last_per_subject: bool,
        follow: bool,
    ) -> AsyncIterator[StoredMessage | None]:
        """What `read` says, unread."""

    @abstractmethod
    async def stored_at(self, stream: StreamSpec, sequence: int) -> StoredMessage | None: ...

    @abstractmethod
    async def remove_stored(self, stream: StreamSpec, sequence: int) -> None: ...

    @property
    def dead_letters(self) -> DeadLetters:
        """What could not be handled."""
        return DeadLetters(self)

    async def publish(
        self, message: Message, *, cause: Envelope | None = None, ttl_s: float | None = None
    ) -> Published:
        """Store a message; one that expires by its nature (`TTL_S`) does so unless `ttl_s` says otherwise."""
        headers = self.envelope(message, cause).headers()
        ttl_s = ttl_s if ttl_s is not None else getattr(message, "TTL_S", None)
        if ttl_s is not None:
            headers |= ttl_header(ttl_s)
        return await self.publish_stored(message.subject, headers, body_of(message))

    async def publish_sample(self, message: Message) -> None:
        try:
            await self.say(message.subject, self.envelope(message).headers(), body_of(message))
        except Unreachable as away:
            log.debug("sample lost", message_type=message.type_name(), reason=str(away))

    async def consume(self, spec: ConsumerSpec, handlers: Mapping[type[Message], Sequence[Handler]]) -> None:
        async def bury(message: StoredMessage, error: BaseException, tries: int) -> None:
            headers = dead_headers(message, stream=spec.stream.name, consumer=spec.name, error=error, tries=tries)
            await self.publish_stored(dead_subject(spec.stream.name, spec.name), headers, message.body)

        await self.work(spec, handlers, bury)

    async def read(
        self,
        stream: StreamSpec,
        *filters: str,
        after_sequence: int | None = None,
        last_per_subject: bool = False,
        follow: bool = True,
    ) -> AsyncIterator[Received | None]:
        found = self.messages(stream, filters, after=after_sequence, last_per_subject=last_per_subject, follow=follow)
        async for stored in found:
            received = None if stored is None else _received(stored)
            if stored is None or received is not None:
                yield received

    async def stored(self, stream: StreamSpec, *filters: str) -> AsyncIterator[StoredMessage]:
        """Everything the stream holds now, unread, in order."""
        async for stored in self.messages(stream, filters, after=0, last_per_subject=False, follow=False):
            if stored is not None:
                yield stored

    def envelope(self, message: Message, cause: Envelope | None = None) -> Envelope:
        """The envelope that a message of ours gets now."""
        return Envelope.around(message, source=self._source, now=self._clock.now(), cause=cause or current_envelope())


def body_of(message: Message) -> bytes:
    """The message as bytes."""
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
