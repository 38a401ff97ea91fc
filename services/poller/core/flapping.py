"""When changes are so many that each one is no news: a ring of time buckets, newer ones weighing more.

The ring covers 20 buckets of 30 s, so it does not depend on how often a host is asked. A bucket counts if a hard
transition fell into it. The weights are those of Icinga 2 (`lib/icinga/checkable-flapping.cpp`: 0.80 + 0.02 · i, from
the oldest to the newest); the bounds, the count of outages and the quiet time are ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

BUCKET_S = 30
BUCKETS = 20
STARTS_ABOVE, ENDS_AT = 30.0, 25.0  # percent
_OLDEST_WEIGHT, _WEIGHT_STEP = 0.80, 0.02
_DOWNS = 4  # so many outages within `_DOWNS_WITHIN` are flapping, too, however slow
_DOWNS_WITHIN = timedelta(minutes=30)
_QUIET = timedelta(minutes=10)
_KEPT = 120  # changes: more would not alter a verdict


@dataclass(frozen=True, slots=True)
class Flap:
    """The recent changes of one host, and whether it flaps. All of it survives a restart."""

    changes: tuple[datetime, ...] = ()  # hard transitions of the last half hour, oldest first
    downs: tuple[datetime, ...] = ()  # those that were outages
    since: datetime | None = None  # flapping since; None: it does not
    count: int = 0  # changes since it began


def percent(buckets: Iterable[int], newest: int) -> float:
    """How much change the ring that ends with bucket `newest` holds, in percent."""
    places = {bucket - newest + BUCKETS - 1 for bucket in buckets}
    return 100 / BUCKETS * sum(_OLDEST_WEIGHT + _WEIGHT_STEP * i for i in places if 0 <= i < BUCKETS)


def ring_flaps(share: float, *, flaps: bool) -> bool:
    """What the ring alone says, with hysteresis: between the two bounds things stay as they are."""
    return share > ENDS_AT if flaps else share > STARTS_ABOVE


def changed(flap: Flap, at: datetime, *, down: bool) -> Flap:
    """Another hard transition, `down` if it is an outage."""
    kept = tuple(moment for moment in flap.changes if at - moment <= _DOWNS_WITHIN)[-_KEPT:]
    downs = tuple(moment for moment in flap.downs if at - moment <= _DOWNS_WITHIN)
    flap = replace(flap, changes=(*kept, at), downs=(*downs, at) if down else downs, count=flap.count + 1)
    if flap.since is not None:
        return flap
    starts = ring_flaps(_share(flap, at), flaps=False) or len(flap.downs) >= _DOWNS
    return replace(flap, since=at, count=len(_counted(flap, at))) if starts else replace(flap, count=0)


def waited(flap: Flap, now: datetime) -> Flap:
    """Time has passed: it ends with a quiet ring and no transition for ten minutes."""
    if flap.since is None:
        return flap
    last = flap.changes[-1] if flap.changes else flap.since
    quiet = now - last >= _QUIET or last > now + _QUIET  # the clock was set back: the change was long ago
    if not quiet or ring_flaps(_share(flap, now), flaps=True):
        return flap
    return Flap()


def window_s(flap: Flap, now: datetime) -> float:
    """Over how many seconds the counted changes are spread."""
    counted = _counted(flap, now)
    return max(0.0, (now - counted[0]).total_seconds()) if counted else 0.0


def _counted(flap: Flap, now: datetime) -> tuple[datetime, ...]:
    """The changes that made it flap: those of the ring, or of half an hour if only the outages were too many."""
    ring = timedelta(seconds=BUCKET_S * BUCKETS)
    if ring_flaps(_share(flap, now), flaps=False):
        return tuple(moment for moment in flap.changes if now - moment <= ring)
    return flap.changes


def _share(flap: Flap, now: datetime) -> float:
    return percent((_bucket(moment) for moment in flap.changes), _bucket(now))


def _bucket(moment: datetime) -> int:
    return int(moment.timestamp() // BUCKET_S)
