"""Messages of JetStream as ours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from nats.aio.msg import Msg

from shared.bus.delivery import StoredMessage
from shared.bus.nats.connection import Connection

_NAK_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class NatsDelivery:
    """A message from a pull, to be answered through whatever session there is by then."""

    connection: Connection
    reply: str
    message: StoredMessage
    delivered: int

    async def ack(self) -> None:
        await self._say(b"+ACK")

    async def nak(self, delay_s: float) -> None:
        delay_ns = int(delay_s * _NAK_NS)
        await self._say(f'-NAK {{"delay": {delay_ns}}}'.encode() if delay_ns else b"-NAK")

    async def in_progress(self) -> None:
        await self._say(b"+WPI")

    async def _say(self, word: bytes) -> None:
        session = await self.connection.session(wait_s=0)
        await session.say(self.reply, word)


def from_delivered(message: Msg) -> StoredMessage:
    """A message that a consumer delivered."""
    metadata = message.metadata
    return StoredMessage(
        subject=message.subject,
        headers=message.headers or {},
        body=message.data,
        sequence=metadata.sequence.stream,
        stored_at=metadata.timestamp,
    )


def from_direct(message: Msg) -> StoredMessage:
    """A message that the stream answered a direct read with."""
    headers = dict(message.headers or {})
    return StoredMessage(
        subject=headers.pop("Nats-Subject"),
        sequence=int(headers.pop("Nats-Sequence")),
        stored_at=_moment(headers.pop("Nats-Time-Stamp")),
        headers=headers,
        body=message.data,
    )


def _moment(text: str) -> datetime:
    # The server writes nanoseconds, and leaves out trailing zeros: 2026-11-20T14:04:17.123456789Z
    whole, _, fraction = text.removesuffix("Z").partition(".")
    return datetime.fromisoformat(f"{whole}.{fraction[:6]:0<6}").replace(tzinfo=UTC)
