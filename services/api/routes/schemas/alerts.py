"""Alerts as the REST API tells them."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field

from services.api.core.alerts import Alert, AlertState
from shared.contracts.vocabulary import Severity


class AlertView(BaseModel):
    """One time that something was wrong. `told`: the chats that hear of it."""

    incident_id: str
    number: int = Field(description="What people call it: #4821.")
    state: AlertState
    site_id: str
    alert_kind: str = Field(examples=["host.down"])
    object_id: str
    object_name: str
    severity: Severity
    opened_at: datetime | None
    told: list[str]
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    resolved_at: datetime | None
    outage_s: float | None

    @classmethod
    def of(cls, alert: Alert) -> Self:
        """From its row."""
        fields = {name: getattr(alert, name) for name in cls.model_fields if name != "told"}
        return cls(**fields, told=list(alert.told))
