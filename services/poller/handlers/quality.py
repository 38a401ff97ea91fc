"""Tell that a connection is degraded or good again, and remember what is known of it."""

from __future__ import annotations

from services.poller.core.degraded import QualityFact
from services.poller.core.quality_events import quality_event
from services.poller.core.records import QualityRecord, quality_key
from services.poller.core.roster import Roster
from services.poller.handlers.telling import Teller
from services.poller.measuring import known_of
from services.poller.watch import Watch
from shared.quality import G1010, QualityBounds


def tell_quality(
    watch: Watch, fact: QualityFact | None, *, roster: Roster, teller: Teller, grades: QualityBounds = G1010
) -> None:
    """Queue the event (None: nothing to tell) and what to remember of the host's connection."""
    host = watch.host
    site_name = roster.site_name(host.site_id)
    event = None if fact is None else quality_event(fact, host, site_name, watch.policy.name, grades)
    known = known_of(watch.connection)
    teller.tell(quality_key(host.id), event, QualityRecord.of(host.id, known.standing, known.days))
