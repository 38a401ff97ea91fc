"""From headers and bytes to a message, with error texts that never quote the message itself."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from shared.contracts.catalogue import BY_TYPE
from shared.contracts.envelope import Envelope
from shared.contracts.message import Contract, Message
from shared.contracts.queries import AnswerT
from shared.errors import Invalid


def parse_body(message_type: type[Message], body: bytes) -> Message:
    """The message inside `body`; raises Invalid naming the fields at fault, without their values."""
    try:
        return message_type.model_validate_json(body)
    except ValidationError as wrong:
        raise Invalid(_explain(message_type, wrong)) from None  # the chain would quote the body


def parse_answer(answer_type: type[AnswerT], body: bytes) -> AnswerT:
    """The answer inside `body`; raises Invalid as `parse_body` does."""
    try:
        return answer_type.model_validate_json(body)
    except ValidationError as wrong:
        raise Invalid(_explain(answer_type, wrong)) from None


def parse_stored(headers: Mapping[str, str] | None, body: bytes) -> tuple[Envelope, Message]:
    """Envelope and message as they were published; raises Invalid for anything that is not ours."""
    envelope = Envelope.from_headers(headers)
    message_type = BY_TYPE.get(envelope.type)
    if message_type is None:
        raise Invalid(f"no message type is called {envelope.type}")
    return envelope, parse_body(message_type, body)


def _explain(expected: type[Contract], wrong: ValidationError) -> str:
    faults = (
        f"{'.'.join(str(part) for part in fault['loc']) or 'body'}: {fault['msg']}"
        for fault in wrong.errors(include_url=False, include_input=False, include_context=False)
    )
    return f"the body is no {expected.__name__}: {'; '.join(faults)}"
