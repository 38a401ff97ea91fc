"""When a router is under stress: a value beyond its limit for a while, until it is well inside again.

Three readings in a row (or a minute and a half of them) confirm, three readings below nine tenths of the limit relieve:
a peak is no news, and a value that swings around its limit is told once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.contracts.inventory import RouterLimits
from shared.contracts.vocabulary import RouterResource as Resource

CONFIRM_READINGS = 3
CONFIRM = timedelta(seconds=90)
RELIEF_READINGS = 3
_INSIDE = 0.9  # of an upper limit
_VOLTAGE_INSIDE = 0.02  # a supply is regulated: nine tenths of 24 V would be another supply

Place = tuple[Resource, str]
"""A resource and its part: which disk, sensor or pool."""


@dataclass(frozen=True, slots=True)
class Limit:
    """Bounds of one resource; None: no bound on that side."""

    unit: str
    most: float | None = None
    least: float | None = None
    inside: float = _INSIDE

    def crossed(self, size: float) -> float | None:
        """The bound that this value has reached, if any."""
        if self.most is not None and size >= self.most:
            return self.most
        if self.least is not None and size <= self.least:
            return self.least
        return None

    def relieves(self, size: float) -> bool:
        """Whether this value is well inside all bounds."""
        too_high = self.most is not None and size >= self.most * self.inside
        too_low = self.least is not None and size <= self.least * (2 - self.inside)
        return not (too_high or too_low)


@dataclass(frozen=True, slots=True)
class Strain:
    """How one value stands. `since` is set while it is told to be beyond its limit."""

    over: int = 0
    over_since: datetime | None = None
    under: int = 0
    since: datetime | None = None
    limit: float = 0.0
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Stressed:
    """A value is beyond its limit since `since`."""

    resource: Resource
    part: str
    value: float
    limit: float
    unit: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Relieved:
    """It is well inside again, or (value None) there is nothing left to measure."""

    resource: Resource
    part: str
    value: float | None
    limit: float
    unit: str
    stressed_since: datetime


Fact = Stressed | Relieved


def limits_of(limits: RouterLimits) -> dict[Resource, Limit]:
    """The bounds that somebody wants watched."""
    upper = {
        Resource.CPU: Limit("%", limits.cpu_percent),
        Resource.MEMORY: Limit("%", limits.memory_percent),
        Resource.DISK: Limit("%", limits.disk_percent),
        Resource.TEMPERATURE: Limit("°C", limits.temperature_c),
        Resource.VOLTAGE: Limit("V", limits.voltage_max, limits.voltage_min, 1 - _VOLTAGE_INSIDE),
        Resource.POOL: Limit("%", limits.pool_percent),
        Resource.CLOCK: Limit("s", limits.clock_drift_s),
    }
    return {resource: limit for resource, limit in upper.items() if (limit.most, limit.least) != (None, None)}


def judge(strain: Strain, value: float, limit: Limit, place: Place, now: datetime) -> tuple[Strain, Fact | None]:
    """Count one reading; the value of a clock is how far it is off, in either direction."""
    size = abs(value) if place[0] is Resource.CLOCK else value
    if strain.since is not None:
        return _while_stressed(strain, value, size, limit, place)
    crossed = limit.crossed(size)
    if crossed is None:
        return Strain(), None
    since = strain.over_since or now
    strain = replace(strain, over=strain.over + 1, over_since=since)
    if strain.over < CONFIRM_READINGS and not (strain.over > 1 and now - since >= CONFIRM):
        return strain, None
    told = Strain(since=since, limit=crossed, unit=limit.unit)
    return told, Stressed(*place, value, crossed, limit.unit, since)


def _while_stressed(
    strain: Strain, value: float, size: float, limit: Limit, place: Place
) -> tuple[Strain, Fact | None]:
    if not limit.relieves(size):
        return replace(strain, under=0), None
    strain = replace(strain, under=strain.under + 1)
    if strain.under < RELIEF_READINGS:
        return strain, None
    return Strain(), _relieved(strain, place, value)


def _relieved(strain: Strain, place: Place, value: float | None) -> Relieved:
    if strain.since is None:
        raise ValueError("nothing to relieve")
    return Relieved(*place, value, strain.limit, strain.unit, strain.since)


class LimitBook:
    """How the values of one router stand."""

    def __init__(self, known: Iterable[tuple[Place, Strain]] = ()) -> None:
        self._strains: dict[Place, Strain] = dict(known)

    def interrupted(self) -> None:
        """The router could not be asked: readings before and after are not in a row."""
        for place, strain in list(self._strains.items()):
            if strain.since is None:
                del self._strains[place]
            else:
                self._strains[place] = replace(strain, under=0)

    def judge(
        self, values: Mapping[Place, float], limits: Mapping[Resource, Limit], now: datetime, read: Collection[Resource]
    ) -> list[Fact]:
        """Count a round of readings. `read` names the resources that were really read: only of those does a missing
        part (a pool that was removed) count as gone."""
        facts: list[Fact] = []
        for place, value in values.items():
            limit, strain = limits.get(place[0]), self._strains.get(place, Strain())
            if limit is None:
                continue
            strain, fact = judge(strain, value, limit, place, now)
            self._put(place, strain)
            facts += [fact] if fact is not None else []
        return facts + self._gone(values, limits, read)

    def _gone(
        self, values: Mapping[Place, float], limits: Mapping[Resource, Limit], read: Collection[Resource]
    ) -> list[Fact]:
        """Places that nobody watches any more: the limit was taken away, or the part was."""
        facts: list[Fact] = []
        for place, strain in list(self._strains.items()):
            unwatched = place[0] not in limits
            missing = place[0] in read and place not in values
            if not (unwatched or missing):
                continue
            if strain.since is None:
                del self._strains[place]
                continue
            # A sensor may be absent from one reply: only the third time it is gone.
            self._strains[place] = waiting = replace(strain, under=strain.under + 1)
            if unwatched or waiting.under >= RELIEF_READINGS:
                facts.append(_relieved(strain, place, values.get(place)))
                del self._strains[place]
        return facts

    def _put(self, place: Place, strain: Strain) -> None:
        if strain == Strain():
            self._strains.pop(place, None)
        else:
            self._strains[place] = strain
