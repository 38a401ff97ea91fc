"""An alert as the notifier told of it: who is told, who took it on, whether it is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.contracts.vocabulary import Severity


class AlertState(StrEnum):
    """How far an alert has come."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Alert:
    """One time that something was wrong. `number` is what people call it; `told` are the chats that hear of it.

    Its events may come in any order, so everything that only one of them knows may still be missing.
    """

    incident_id: str
    number: int
    site_id: str
    alert_kind: str
    object_id: str
    object_name: str
    severity: Severity
    opened_at: datetime | None = None
    told: tuple[str, ...] = ()
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    resolved_at: datetime | None = None
    outage_s: float | None = None

    @property
    def state(self) -> AlertState:
        """Over, taken on by somebody, or neither."""
        if self.resolved_at is not None:
            return AlertState.RESOLVED
        return AlertState.OPEN if self.acknowledged_at is None else AlertState.ACKNOWLEDGED
