"""Messages of JetStream as ours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from nats.aio.msg import Msg

from shared.bus.delivery import StoredMessage
from shared.bus.nats.connection import Connection

_NS = 1_000_000_000
_OLD_TOKENS = 9


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
        delay_ns = int(delay_s * _NS)
        await self._say(f'-NAK {{"delay": {delay_ns}}}'.encode() if delay_ns else b"-NAK")

    async def in_progress(self) -> None:
        await self._say(b"+WPI")

    async def _say(self, word: bytes) -> None:
        session = await self.connection.session(wait_s=0)
        await session.say(self.reply, word)


@dataclass(frozen=True, slots=True)
class Place:
    """What the reply subject of a delivered message tells (ADR-15 of nats-io/nats-architecture-and-design):
    `$JS.ACK.<stream>.<consumer>.<delivered>.<sequence>.<number>.<nanoseconds>.<pending>`, in newer servers with domain
    and account before the stream and a token behind."""

    delivered: int
    sequence: int
    number: int  # counts what this consumer delivered
    stored_at: datetime


def place_of(message: Msg) -> Place:
    """Where a delivered message stands in its stream and its consumer."""
    tokens = message.reply.split(".")
    delivered, sequence, number, moment_ns = tokens[4:8] if len(tokens) == _OLD_TOKENS else tokens[6:10]
    seconds, rest_ns = divmod(int(moment_ns), _NS)
    stored_at = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest_ns // 1000)
    return Place(int(delivered), int(sequence), int(number), stored_at)


def from_delivered(message: Msg, place: Place) -> StoredMessage:
    """A message that a consumer delivered."""
    return StoredMessage(
        subject=message.subject,
        headers=message.headers or {},
        body=message.data,
        sequence=place.sequence,
        stored_at=place.stored_at,
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
