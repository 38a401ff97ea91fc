"""From a fact about a connection to the event that tells it, and back from an event to the standing it told."""

from __future__ import annotations

from typing import Any

from services.poller.core.degraded import BecameDegraded, QualityFact, Standing
from services.poller.core.quality import Measured
from shared.contracts.events import HostDegraded, HostObservation, HostQuality, HostRestored
from shared.contracts.inventory import Host
from shared.contracts.vocabulary import Grade
from shared.quality import G1010, QualityBounds

_NOT_MEASURED = HostQuality(
    window_s=0, sent=0, received=0, loss_percent=0, loss_grade=Grade.EXCELLENT, grade=Grade.EXCELLENT
)
"""Where words alone are told: no packets, so no loss among them."""


def quality_event(
    fact: QualityFact, host: Host, site_name: str, policy: str, bounds: QualityBounds = G1010
) -> HostDegraded | HostRestored:
    """The event that tells this fact of this host."""
    common: dict[str, Any] = {
        "at": fact.at,
        "host_id": host.id,
        "host_name": host.name,
        "address": host.address if host.port is None else f"{host.address}:{host.port}",
        "site_id": host.site_id,
        "site_name": site_name,
        "policy": policy,
        "mark": fact.number,
    }
    quality = _graded(fact.measured, bounds)
    if isinstance(fact, BecameDegraded):
        return HostDegraded(
            **common,
            faults=fact.faults,
            severity=fact.severity,
            quality=quality or _NOT_MEASURED,
            usual_ms=None if fact.usual_ms is None else round(fact.usual_ms, 3),
            words=fact.words,
        )
    return HostRestored(**common, quality=quality, degraded_since=fact.degraded_since)


def told_standing(event: HostObservation, before: Standing) -> Standing:
    """The standing that this event told to everybody; `before` is what was known until then."""
    if isinstance(event, HostDegraded):
        return Standing(event.mark, before.since or event.at, event.severity, event.faults, event.words)
    return Standing(event.mark)


def _graded(measured: Measured | None, bounds: QualityBounds) -> HostQuality | None:
    return None if measured is None else measured.graded(bounds)
