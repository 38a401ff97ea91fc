"""The life of an incident: opened, acknowledged, resolved. Each answers what is true after, or why nothing changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from services.notifier.core.incidents import Incident, Relief, Seen, Status, Trouble, short_hash
from services.notifier.core.reasons import WhyNot
from shared.contracts.ids import IncidentId

PATIENCE = timedelta(seconds=70)  # longer than the bus ever makes a message wait between two tries
PATIENCE_WITH_THE_UNKNOWN = timedelta(seconds=2)  # nothing of this object was ever seen: its past may be lost


def overtaken(transition: int, at: datetime, seen: Seen | None) -> bool:
    """Whether something newer of the same object was handled before: facts of one object come by different ways.

    Time decides together with the counter, because a poller that lost its state counts from the beginning again.
    """
    return seen is not None and transition <= seen.transition and at <= seen.at


def patience(relief: Relief, seen: Seen | None) -> timedelta:
    """How long to wait for the trouble that this relief ends, if it has not been handled yet. Alarms never wait."""
    if not relief.follows_trouble or (seen is not None and seen.transition >= relief.transition - 1):
        return timedelta(0)
    return PATIENCE if seen is not None else PATIENCE_WITH_THE_UNKNOWN


def begin(current: Incident | None, trouble: Trouble, seen: Seen | None = None) -> Incident | WhyNot:
    """The incident that `trouble` opens. `current` is the newest incident of the same alert, whatever its status."""
    if overtaken(trouble.transition, trouble.at, seen):
        return WhyNot.OVERTAKEN
    if current is not None and current.status is not Status.RESOLVED:
        # What was kept to ourselves and is said again without a reason to (work that is over) is told now.
        again = current.held is not None and trouble.held is None
        return release(current, trouble) if again else WhyNot.ALREADY_OPEN
    return Incident(
        id=IncidentId(short_hash(trouble.subject.alert_id, trouble.since.isoformat(), str(trouble.transition))),
        subject=trouble.subject,
        severity=trouble.severity,
        since=trouble.since,
        opened_at=trouble.at,
        transition=trouble.transition,
        blip_s=trouble.blip_s,
        failure=trouble.failure,
        words=trouble.words,
        likely_causes=trouble.likely_causes,
        details=trouble.details,
        held=trouble.held,
    )


def notice(trouble: Trouble, seen: Seen | None = None) -> Incident | WhyNot:
    """The incident of something that happened and is over: it is told once, and nobody has to take it on."""
    if overtaken(trouble.transition, trouble.at, seen):
        return WhyNot.OVERTAKEN
    opened = begin(None, trouble, seen)
    if isinstance(opened, WhyNot):
        return opened
    return replace(opened, notice=True, status=Status.RESOLVED, resolved_at=trouble.at, outage_s=0.0)


def release(current: Incident, again: Trouble) -> Incident:
    """The incident that was kept to ourselves and has to be told now. It keeps the time at which it really began."""
    return _released(current, max(current.opened_at, again.at), max(current.transition, again.transition))


def release_leftover(current: Incident, at: datetime) -> Incident | WhyNot:
    """The incident of a host that is still down when the outage of many that it was part of is over."""
    if current.status is Status.RESOLVED:
        return WhyNot.NOTHING_OPEN
    if current.held is None:
        return WhyNot.ALREADY_TOLD
    return _released(current, max(current.opened_at, at), current.transition)


def _released(current: Incident, opened_at: datetime, transition: int) -> Incident:
    return replace(current, held=None, sequence=current.sequence + 1, opened_at=opened_at, transition=transition)


def end(current: Incident | None, relief: Relief, seen: Seen | None = None) -> Incident | WhyNot:
    """The incident that `relief` resolves. The outage counts from the first sign, unless the event knows better."""
    if overtaken(relief.transition, relief.at, seen):
        return WhyNot.OVERTAKEN
    if current is None or current.status is Status.RESOLVED:
        return WhyNot.NOTHING_OPEN
    if relief.at < current.since:
        return WhyNot.OVERTAKEN
    measured_s = (relief.at - current.since).total_seconds()
    return replace(
        current,
        status=Status.RESOLVED,
        sequence=current.sequence + 1,
        transition=max(current.transition, relief.transition),
        resolved_at=relief.at,
        details={**current.details, **relief.details},
        outage_s=relief.outage_s if relief.outage_s is not None else measured_s,
    )


def acknowledge(current: Incident, *, by: str, at: datetime) -> Incident | WhyNot:
    """The incident that a person took on; the first one who did stays its owner."""
    if current.status is Status.RESOLVED:
        return WhyNot.NOTHING_OPEN
    if current.status is Status.ACKNOWLEDGED:
        return WhyNot.ALREADY_TOLD
    return replace(
        current,
        status=Status.ACKNOWLEDGED,
        sequence=current.sequence + 1,
        acknowledged_by=by,
        acknowledged_at=at,
    )
