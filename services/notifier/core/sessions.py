"""A subscriber's login or logout as the notifier tells it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.notifier.core.incidents import short_hash
from shared.contracts.events import SessionClosed, SessionOpened
from shared.contracts.ids import SiteId
from shared.contracts.vocabulary import Service


@dataclass(frozen=True, slots=True)
class SessionChange:
    """Somebody is on line, or is not any more. `duration_s` only at the end, and only where it is known."""

    session_id: str
    online: bool
    account: str
    service: Service
    router_name: str
    site_id: SiteId
    at: datetime
    address: str | None = None
    inferred: bool = False
    duration_s: float | None = None
    part_of_drop: bool = False
    """It ended together with many others, which one message tells."""

    @property
    def thread(self) -> str:
        """Messages of the opening and of the closing are threads of their own: they may come in any order."""
        return short_hash("session", self.session_id, "opened" if self.online else "closed")


def of_event(event: SessionOpened | SessionClosed) -> SessionChange:
    """What a session event means to whom is told of it."""
    closed = event if isinstance(event, SessionClosed) else None
    return SessionChange(
        session_id=event.session_id,
        online=closed is None,
        account=event.account,
        service=event.service,
        router_name=event.router_name,
        site_id=event.site_id,
        at=event.at,
        address=event.address,
        inferred=event.inferred,
        duration_s=_duration_s(closed) if closed else None,
        part_of_drop=closed is not None and closed.drop_id is not None,
    )


def _duration_s(event: SessionClosed) -> float | None:
    if event.duration_s is not None:
        return event.duration_s
    return (event.at - event.opened_at).total_seconds() if event.opened_at else None
