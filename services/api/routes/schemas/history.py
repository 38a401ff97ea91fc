"""What happened, as the REST API tells it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, Field

from services.api.ports import AuditLine, PastEvent, SubscriberSession
from shared.contracts.vocabulary import Service


class SessionView(BaseModel):
    """A subscriber's session. `closed_at` null: open as far as we know."""

    session_id: str
    router_id: str
    router_name: str
    site_id: str
    service: Service
    account: str
    address: str | None
    mac: str | None
    opened_at: datetime | None
    closed_at: datetime | None
    duration_s: float | None
    bytes_in: int | None
    bytes_out: int | None
    reason: str | None
    inferred: bool

    @classmethod
    def of(cls, session: SubscriberSession) -> Self:
        """From its row."""
        return cls(**{name: getattr(session, name) for name in cls.model_fields})


class EventView(BaseModel):
    """An event of the past; `body` is the message as it was on the bus."""

    id: str
    type: str = Field(examples=["host.down"])
    at: datetime
    site_id: str | None
    router_id: str | None
    host_id: str | None
    account: str | None
    body: dict[str, Any]

    @classmethod
    def of(cls, event: PastEvent) -> Self:
        """From its row."""
        return cls(**{name: getattr(event, name) for name in cls.model_fields})


class AuditView(BaseModel):
    """Who did what to what."""

    id: str
    at: datetime
    by: str
    action: str
    entity: str
    entity_id: str
    detail: dict[str, Any]

    @classmethod
    def of(cls, line: AuditLine) -> Self:
        """From its row."""
        return cls(**{name: getattr(line, name) for name in cls.model_fields})
