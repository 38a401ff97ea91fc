"""From a fact of a session book to the event that tells it and the record that remembers it."""

from __future__ import annotations

from collections.abc import Mapping

from services.poller.core.mass_drop import Dropped, Returned
from services.poller.core.records import SessionRecord, session_key
from services.poller.core.session_facts import Changed, Closed, Learnt, Opened, Session, SessionFact
from shared.contracts.events import (
    MassDropEvent,
    SessionChanged,
    SessionClosed,
    SessionEvent,
    SessionOpened,
    SessionsDropped,
    SessionsReturned,
)
from shared.contracts.inventory import Router
from shared.contracts.vocabulary import Service, SessionSource

Telling = tuple[str, SessionEvent | None, SessionRecord | None]
"""Where the fact belongs in the memory, the event that tells it, and what to remember."""


def session_told(
    router: Router,
    service: Service,
    fact: SessionFact,
    *,
    drop_id: str | None = None,
    source: SessionSource = SessionSource.ROUTER,
) -> Telling:
    """How a fact is told and remembered."""
    session = fact.session
    key = session_key(router.id, service, session.slot)
    record = SessionRecord.of(router.id, service, session)
    common = _common(router, service, session) | {"source": source}
    match fact:
        case Learnt():
            return key, None, record
        case Opened():
            return key, SessionOpened(**common, at=fact.at, inferred=fact.inferred), record
        case Changed():
            before = {"address_before": fact.address_before, "mac_before": fact.mac_before}
            changed = SessionChanged(**common, **before, at=fact.at, inferred=fact.inferred, change=session.changes)
            return key, changed, record
        case Closed():
            return key, _closed(common, fact, drop_id), None


def _common(router: Router, service: Service, session: Session) -> dict[str, object]:
    return {
        "router_id": router.id,
        "router_name": router.name,
        "site_id": router.site_id,
        "service": service,
        "account": session.account,
        "session_id": f"{router.id}-{service}-{session.slot}-{session.number}",
        "address": session.address,
        "mac": session.mac,
    }


def _closed(common: Mapping[str, object], fact: Closed, drop_id: str | None) -> SessionClosed:
    bytes_in, bytes_out, bytes_at = fact.counters
    return SessionClosed.model_validate(
        {
            **common,
            "at": fact.at,
            "inferred": fact.inferred,
            "opened_at": fact.session.opened_at,
            "duration_s": fact.duration_s,
            "bytes_in": bytes_in,
            "bytes_out": bytes_out,
            "bytes_at": bytes_at,
            "reason": fact.said.reason if fact.said else None,
            "drop_id": drop_id,
        }
    )


def drop_told(router: Router, fact: Dropped | Returned) -> MassDropEvent:
    """The event of many sessions at once."""
    common = {
        "at": fact.at,
        "router_id": router.id,
        "router_name": router.name,
        "site_id": router.site_id,
        "drop_id": fact.drop_id,
        "cause": fact.carrier.cause,
        "cause_name": fact.carrier.name,
    }
    if isinstance(fact, Returned):
        return SessionsReturned.model_validate(
            {**common, "dropped_at": fact.dropped_at, "back": fact.back, "lost": fact.lost}
        )
    return SessionsDropped.model_validate(
        {**common, "since": fact.since, "lost": fact.lost, "of": fact.of, "accounts": fact.accounts}
    )
