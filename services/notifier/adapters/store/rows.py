"""Rows to facts and back. JSON inside rows is read through pydantic, so a row that no longer fits is noticed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from services.notifier.core.incidents import Incident
from services.notifier.core.plan import Delivery, Fact
from services.notifier.core.reasons import Form, Reason
from services.notifier.core.recipients import Recipient
from services.notifier.core.sessions import SessionChange
from services.notifier.ports import Incoming
from shared.contracts.ids import DeliveryId
from shared.contracts.vocabulary import Severity

_INCIDENT = TypeAdapter(Incident)
_SESSION = TypeAdapter(SessionChange)
_RECIPIENT = TypeAdapter(Recipient)
_INCOMING = TypeAdapter(Incoming)

Row = Any  # asyncpg.Record, or a dict in its place


def incident_json(incident: Incident) -> Any:
    """An incident without its number, which is a column."""
    return _INCIDENT.dump_python(replace(incident, number=0), mode="json")


def incident_of(row: Row) -> Incident:
    """From the columns `fact` and `number`."""
    return replace(_INCIDENT.validate_python(row["fact"]), number=row["number"])


def delivery_values(delivery: Delivery) -> tuple[Any, ...]:
    """The values of an insert, in the order of its columns."""
    fact = delivery.fact
    return (
        delivery.id,
        delivery.thread,
        delivery.recipient.chat_id,
        delivery.sequence,
        delivery.form,
        delivery.reason,
        delivery.severity,
        fact.status if isinstance(fact, Incident) else None,
        delivery.event_at,
        _RECIPIENT.dump_python(delivery.recipient, mode="json"),
        _fact_json(fact),
    )


def _fact_json(fact: Fact) -> dict[str, Any]:
    if isinstance(fact, Incident):
        return {"kind": "incident", "value": _INCIDENT.dump_python(fact, mode="json")}
    return {"kind": "session", "value": _SESSION.dump_python(fact, mode="json")}


def delivery_of(row: Row) -> Delivery:
    """A row of the notification log as it was planned."""
    fact = row["fact"]
    adapter: TypeAdapter[Any] = _INCIDENT if fact["kind"] == "incident" else _SESSION
    return Delivery(
        id=DeliveryId(row["id"]),
        thread=row["thread"],
        sequence=row["sequence"],
        recipient=_RECIPIENT.validate_python(row["recipient"]),
        form=Form(row["form"]),
        reason=Reason(row["reason"]),
        fact=adapter.validate_python(fact["value"]),
        event_at=row["event_at"],
        severity=Severity(row["severity"]),
    )


def incoming_json(incoming: Incoming) -> Any:
    """What came in, whole."""
    return _INCOMING.dump_python(incoming, mode="json")


def incoming_of(row: Row) -> Incoming:
    """From the column `content`."""
    return _INCOMING.validate_python(row["content"])
