"""What the other services hear of an incident."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from services.notifier.core.incidents import Incident, Status
from shared.contracts.events import AlertAcknowledged, AlertEvent, AlertOpened, AlertResolved


def announcements(incident: Incident, at: datetime, told: tuple[str, ...] = ()) -> tuple[AlertEvent, ...]:
    """The events of the incident's newest transition. A notice begins and is over in one."""
    if not incident.notice:
        return (announcement(incident, at, told),)
    opened = replace(incident, status=Status.OPEN)
    over = replace(incident, sequence=incident.sequence + 1)
    return announcement(opened, at, told), announcement(over, at)


def announcement(incident: Incident, at: datetime, told: tuple[str, ...] = ()) -> AlertEvent:
    """The event that belongs to the incident's newest transition. `told`: the chats that hear of its opening."""
    subject = incident.subject
    fields: dict[str, Any] = {
        "at": at,
        "incident_id": incident.id,
        "number": incident.number,
        "site_id": subject.site_id,
        "alert_kind": subject.kind,
        "object_id": subject.object_id,
        "object_name": subject.name,
        "severity": incident.severity,
        "sequence": incident.sequence,
    }
    if incident.status is Status.OPEN:
        return AlertOpened(**fields, told=told)
    if incident.status is Status.ACKNOWLEDGED:
        return AlertAcknowledged(**fields, by=incident.acknowledged_by or "?")
    return AlertResolved(**fields, outage_s=incident.outage_s or 0.0)
