"""A fact as a line of the spool, and back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import structlog
from pydantic import ValidationError

from services.poller.core.records import Record
from services.poller.core.shards import Part
from services.poller.handlers.claims import Claim
from services.poller.handlers.waiting_facts import Told
from shared.contracts.events import Event
from shared.contracts.message import message_types

log = structlog.get_logger(__name__)


def told_line(told: Told) -> dict[str, Any]:
    """As JSON has it."""
    event, record, claim = told.event, told.record, told.claim
    return {
        "key": told.key,
        "number": told.number,
        "event": event and {"type": event.type_name(), "body": event.model_dump(mode="json")},
        "record": record and {"kind": type(record).__name__, "body": record.model_dump(mode="json")},
        "claim": claim and [claim.part, claim.epoch],
        "remembers": told.remembers,
    }


def read_told(line: dict[str, Any]) -> Told | None:
    """The fact of a line; None (and a word in the log) if this version cannot read it."""
    try:
        claim = line["claim"]
        return Told(
            key=line["key"],
            event=_event(line["event"]),
            record=_record(line["record"]),
            claim=Claim(Part(claim[0]), claim[1]) if claim else None,
            remembers=line["remembers"],
            number=line["number"],
        )
    except (KeyError, TypeError, ValidationError) as wrong:
        log.warning("a fact of the spool cannot be read and is left out", reason=str(wrong))
        return None


def _event(written: dict[str, Any] | None) -> Event | None:
    if written is None:
        return None
    kinds = {kind.type_name(): kind for kind in message_types(Event)}
    event = kinds[written["type"]].model_validate(written["body"])
    if not isinstance(event, Event):
        raise TypeError(f"{written['type']} is no event")
    return event


def _record(written: dict[str, Any] | None) -> Record | None:
    if written is None:
        return None
    return {kind.__name__: kind for kind in _kinds(Record)}[written["kind"]].model_validate(written["body"])


def _kinds(root: type[Record]) -> Iterator[type[Record]]:
    for child in root.__subclasses__():
        yield child
        yield from _kinds(child)
