"""All message types in one place: what documents are generated from and what consumers parse with."""

from __future__ import annotations

from shared.contracts import actions, desired, events, live, notify, queries, samples
from shared.contracts.envelope import Envelope
from shared.contracts.message import Message, message_types
from shared.errors import Invalid

MODULES = (events, desired, actions, notify, queries, live, samples)

# By name: classes are known in the order of their import, and documents must not depend on who imported what first.
BY_TYPE: dict[str, type[Message]] = dict(sorted((cls.type_name(), cls) for cls in message_types()))


def parse(envelope: Envelope, body: bytes) -> Message:
    """The message inside an envelope; raises Invalid when the type is unknown or the body does not fit it."""
    try:
        message_type = BY_TYPE[envelope.type]
    except KeyError as unknown:
        raise Invalid(f"no message type is called {envelope.type}") from unknown
    try:
        return message_type.model_validate_json(body)
    except ValueError as wrong:
        raise Invalid(f"the body is no {message_type.__name__}: {wrong}") from wrong
