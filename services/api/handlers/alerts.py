"""Taking an alert on: the notifier decides, by the same rule as for a tap in a chat."""

from __future__ import annotations

from services.api.core.alerts import Alert
from services.api.handlers.audit import note
from services.api.handlers.live import BoardBell
from services.api.ports import Store
from shared.bus.ports import Bus
from shared.clock import Clock
from shared.contracts.ids import IncidentId
from shared.contracts.queries import AcknowledgeAlert


async def acknowledge(incident_id: str, *, by: str, store: Store, bus: Bus, clock: Clock, bell: BoardBell) -> Alert:
    """Take it on; somebody who was faster stays. Raises NotFound, Conflict when it is over, and what the bus says.

    The answer is written down at once, so that whoever asked sees it before the event comes round.
    """
    async with store.unit() as unit:
        alert = await unit.alerts.get(incident_id)
    taken = await bus.request(AcknowledgeAlert(incident_id=IncidentId(incident_id), by=by))
    async with store.unit() as unit:
        await unit.alerts.taken_on(incident_id, by=taken.by, at=taken.at)
        await note(
            unit,
            clock,
            by=by,
            action="alert.acknowledged",
            entity="alert",
            entity_id=incident_id,
            name=f"#{alert.number} {alert.object_name}",
            taken_on_by=taken.by,
        )
        alert = await unit.alerts.get(incident_id)
    bell.ring()
    return alert
