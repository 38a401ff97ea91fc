"""The bus as an AsyncAPI 3.0 document, written from the message classes and the stream descriptions.

A channel is a subject with its scope as parameters. `send` and `receive` are said from the view of a program that
connects to Ronda: it receives events and samples, it may send queries.
"""

from __future__ import annotations

from typing import Any

import yaml

from shared.contracts.catalogue import BY_TYPE
from shared.contracts.message import Message
from shared.contracts.queries import Query
from shared.contracts.streams import STREAMS, StreamSpec
from shared.contracts.subjects import Kind

VERSION = "1.0.0"
_TO_CLIENT = {Kind.EVENT, Kind.SAMPLE}
_REFERENCES = "#/components/schemas/{model}"


def asyncapi_yaml() -> str:
    """The whole document."""
    text = yaml.safe_dump(document(), sort_keys=False, allow_unicode=True, width=110)
    return "# Written from the code by `make docs`; do not edit.\n" + str(text)


def document() -> dict[str, Any]:
    """The document as plain values."""
    schemas: dict[str, Any] = {}
    messages = {cls.__name__: _message(cls, schemas) for cls in BY_TYPE.values()}
    for query in (cls for cls in BY_TYPE.values() if issubclass(cls, Query)):
        messages[query.ANSWER.__name__] = _answer(query, schemas)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Ronda's bus",
            "version": VERSION,
            "description": (
                "Everything that Ronda says and listens to on NATS. Delivery is at least once: remember `ce-id` and "
                "drop what you have seen. Fields may be added at any time; a changed meaning gets a new message type."
            ),
            "license": {"name": "GPL-3.0-or-later"},
        },
        "defaultContentType": "application/json",
        "channels": {name: _channel(cls) for name, cls in BY_TYPE.items()} | _answers(),
        "operations": {name.replace(".", "_"): _operation(name, cls) for name, cls in BY_TYPE.items()},
        "components": {
            "messages": messages,
            "schemas": dict(sorted(schemas.items())),
            "messageTraits": {"envelope": {"headers": _envelope()}},
        },
    }


def _channel(cls: type[Message]) -> dict[str, Any]:
    stream = _stream(cls)
    kept = f"Kept in the stream {stream.name}: {stream.purpose}" if stream else "Not stored by the bus."
    channel: dict[str, Any] = {
        "address": ".".join((cls.type_name(), *(f"{{{field}}}" for field in cls.SCOPE))),
        "messages": {cls.__name__: {"$ref": f"#/components/messages/{cls.__name__}"}},
        "description": kept,
    }
    if cls.SCOPE:
        channel["parameters"] = {
            field: {"description": f"The message's `{field}`; bytes outside A-Z a-z 0-9 _ - are written as =XX."}
            for field in cls.SCOPE
        }
    return channel


def _answers() -> dict[str, Any]:
    channels = {}
    for name, cls in BY_TYPE.items():
        if issubclass(cls, Query):
            answer = cls.ANSWER.__name__
            channels[f"{name}.answer"] = {
                "address": None,
                "messages": {answer: {"$ref": f"#/components/messages/{answer}"}},
                "description": "The inbox that the question names.",
            }
    return channels


def _operation(name: str, cls: type[Message]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "action": "receive" if cls.KIND in _TO_CLIENT else "send",
        "channel": {"$ref": f"#/channels/{name}"},
        "summary": _summary(cls),
        "messages": [{"$ref": f"#/channels/{name}/messages/{cls.__name__}"}],
    }
    if issubclass(cls, Query):
        answer = cls.ANSWER.__name__
        operation["reply"] = {
            "address": {"location": "$message.header#/reply", "description": "NATS' own reply subject."},
            "channel": {"$ref": f"#/channels/{name}.answer"},
            "messages": [{"$ref": f"#/channels/{name}.answer/messages/{answer}"}],
        }
    return operation


def _message(cls: type[Message], schemas: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": cls.type_name(),
        "title": cls.__name__,
        "summary": _summary(cls),
        "contentType": "application/json",
        "traits": [{"$ref": "#/components/messageTraits/envelope"}],
        "payload": _schema(cls, schemas),
        "examples": [{"name": "example", "payload": cls.example().model_dump(mode="json")}],
    }


def _answer(query: type[Query[Any]], schemas: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": query.ANSWER.__name__,
        "title": query.ANSWER.__name__,
        "summary": _summary(query.ANSWER),
        "contentType": "application/json",
        "payload": _schema(query.ANSWER, schemas),
    }


def _schema(cls: type[Any], schemas: dict[str, Any]) -> dict[str, str]:
    schema = cls.model_json_schema(ref_template=_REFERENCES)
    schemas.update(schema.pop("$defs", {}))
    schemas[cls.__name__] = schema
    return {"$ref": _REFERENCES.format(model=cls.__name__)}


def _summary(cls: type[Any]) -> str:
    return " ".join((cls.__doc__ or "").split())


def _stream(cls: type[Message]) -> StreamSpec | None:
    return next(
        (stream for stream in STREAMS if any(s.startswith(f"ronda.v1.{cls.KIND}.") for s in stream.subjects)), None
    )


def _envelope() -> dict[str, Any]:
    text = {"type": "string"}
    return {
        "type": "object",
        "description": "CloudEvents 1.0 attributes in binary mode, as NATS headers.",
        "required": ["ce-specversion", "ce-id", "ce-type", "ce-source", "ce-time"],
        "properties": {
            "ce-specversion": {"type": "string", "const": "1.0"},
            "ce-id": {**text, "description": "The same fact always has the same id."},
            "ce-type": text,
            "ce-source": {**text, "description": "The service and instance that said it."},
            "ce-time": {"type": "string", "format": "date-time"},
            "ce-correlationid": {**text, "description": "Follows one cause through everything that it leads to."},
            "ce-causationid": {**text, "description": "The message that led directly to this one."},
            "traceparent": {**text, "description": "W3C trace context."},
            "Nats-Msg-Id": {**text, "description": "Equal to ce-id: the stream drops repetitions."},
        },
    }
