"""The envelope: CloudEvents 1.0 attributes as NATS headers (binary mode); the body is the message alone.

`correlation_id` follows one cause through every message that it leads to, `causation_id` is the message that led
directly to this one, `traceparent` is W3C trace context.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from shared.contracts.ids import new_id
from shared.contracts.message import Message
from shared.errors import Invalid

SPEC_VERSION = "1.0"
CONTENT_TYPE = "application/json"
MSG_ID_HEADER = "Nats-Msg-Id"


def new_traceparent() -> str:
    """A W3C trace context that starts a new trace."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who said it, when, and what it follows from."""

    id: str
    type: str
    source: str
    time: datetime
    correlation_id: str
    causation_id: str | None = None
    traceparent: str = field(default_factory=new_traceparent)

    @classmethod
    def around(cls, message: Message, *, source: str, now: datetime, cause: Envelope | None = None) -> Envelope:
        """A new envelope for `message`, continuing the story of `cause` where there is one."""
        identity = message.message_id() or new_id()
        return cls(
            id=identity,
            type=message.type_name(),
            source=source,
            time=now,
            correlation_id=cause.correlation_id if cause else identity,
            causation_id=cause.id if cause else None,
            traceparent=cause.traceparent if cause else new_traceparent(),
        )

    def headers(self) -> dict[str, str]:
        """These attributes as NATS headers, with the id as the stream's deduplication key."""
        attributes = {
            "ce-specversion": SPEC_VERSION,
            "ce-id": self.id,
            "ce-type": self.type,
            "ce-source": self.source,
            "ce-time": self.time.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "ce-correlationid": self.correlation_id,
            "traceparent": self.traceparent,
            "content-type": CONTENT_TYPE,
            MSG_ID_HEADER: self.id,
        }
        if self.causation_id is not None:
            attributes["ce-causationid"] = self.causation_id
        return attributes

    @classmethod
    def from_headers(cls, headers: Mapping[str, str] | None) -> Envelope:
        """Read an envelope back; raises Invalid naming the attribute that is missing or wrong."""
        present = {name.lower(): value for name, value in (headers or {}).items()}
        try:
            return cls(
                id=present["ce-id"],
                type=present["ce-type"],
                source=present["ce-source"],
                time=datetime.fromisoformat(present["ce-time"]),
                correlation_id=present.get("ce-correlationid", present["ce-id"]),
                causation_id=present.get("ce-causationid"),
                traceparent=present.get("traceparent") or new_traceparent(),
            )
        except KeyError as missing:
            raise Invalid(f"the message has no header {missing.args[0]}") from missing
        except ValueError as wrong:
            raise Invalid(f"the message's ce-time is not RFC 3339: {wrong}") from wrong
