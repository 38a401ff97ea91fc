"""Is an interface's traffic far from its own normal? What is normal is learned per hour of the day.

Per interface, direction and unit there are 24 slots (hours of UTC), each with an exponentially weighted mean and
variance of the readings that fell into it. A reading is far off when it is both many deviations and several times its
usual away; several far ones in a row are a fact, and several near ones end it. Readings that are far off teach nothing,
so an attack does not become normal; what stays different for two days does, for then the network has changed.
"""

from __future__ import annotations

import math
from array import array
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta

HOURS = 24
_WEIGHT = 0.02  # of a new reading: at one in 30 s an hour's slot remembers about the last day of that hour
ENOUGH = 100  # readings of the slot before it judges; at one in 30 s the second day knows the hour
DEVIATIONS = 6.0
TIMES = 3.0
IN_A_ROW = 3
STAYS_DIFFERENT = timedelta(days=2)
FLOORS = {"bps": 1_000_000.0, "pps": 1_000.0}  # below this nothing is abnormal, however unusual
_MOST_COUNTED = 65_535


@dataclass(frozen=True, slots=True)
class BecameAbnormal:
    """Several readings in a row are far from what is usual."""

    since: datetime
    value: float
    usual: float


@dataclass(frozen=True, slots=True)
class BecameNormal:
    """Several readings in a row are as usual again."""

    since: datetime


Fact = BecameAbnormal | BecameNormal


class Habit:
    """What is usual for one interface and unit, hour by hour: some 600 bytes, for a provider has many interfaces."""

    __slots__ = ("_abnormal_since", "_counts", "_far_in_row", "_means", "_near_in_row", "_told", "_variances")

    def __init__(self) -> None:
        self._means = array("f", bytes(4 * HOURS))
        self._variances = array("f", bytes(4 * HOURS))
        self._counts = array("H", bytes(2 * HOURS))
        self._far_in_row = self._near_in_row = 0
        self._abnormal_since: datetime | None = None
        self._told = False

    def take(self, value: float, now: datetime, *, floor: float) -> Fact | None:
        """One more reading; answers what there is to tell."""
        hour = now.hour
        usual = self._means[hour]
        far = self._is_far(hour, value, floor)
        stays = self._abnormal_since is not None and now - self._abnormal_since > STAYS_DIFFERENT
        if not far or stays:
            self._learn(hour, value)
        return self._note_far(value, usual, now) if far else self._note_near()

    def told_before(self, since: datetime) -> None:
        """It was told abnormal before a restart, and not that this is over."""
        self._abnormal_since, self._told = since, True

    def packed(self) -> str:
        """What was learned, as text of some 320 characters."""
        return b64encode(self._means.tobytes() + self._variances.tobytes() + self._counts.tobytes()).decode()

    @classmethod
    def unpacked(cls, text: str) -> Habit:
        """What `packed` said; raises ValueError if that is nothing of ours."""
        content = b64decode(text, validate=True)
        if len(content) != 10 * HOURS:
            raise ValueError("a habit has another length")
        habit = cls()
        habit._means = array("f", content[: 4 * HOURS])
        habit._variances = array("f", content[4 * HOURS : 8 * HOURS])
        habit._counts = array("H", content[8 * HOURS :])
        return habit

    def _is_far(self, hour: int, value: float, floor: float) -> bool:
        if self._counts[hour] < ENOUGH or value <= floor:
            return False
        mean = self._means[hour]
        return value > TIMES * mean and value - mean > DEVIATIONS * math.sqrt(self._variances[hour])

    def _learn(self, hour: int, value: float) -> None:
        count = self._counts[hour]
        weight = max(_WEIGHT, 1 / (count + 1))  # the first ones count fully, so that it need not start from zero
        off = value - self._means[hour]
        self._means[hour] += weight * off
        self._variances[hour] = (1 - weight) * (self._variances[hour] + weight * off * off)
        self._counts[hour] = min(_MOST_COUNTED, count + 1)

    def _note_far(self, value: float, usual: float, now: datetime) -> Fact | None:
        self._far_in_row += 1
        self._near_in_row = 0
        self._abnormal_since = since = self._abnormal_since or now
        if self._told or self._far_in_row < IN_A_ROW:
            return None
        self._told = True
        return BecameAbnormal(since, value, usual)

    def _note_near(self) -> Fact | None:
        self._far_in_row = 0
        self._near_in_row += 1
        since = self._abnormal_since
        if since is None or (self._told and self._near_in_row < IN_A_ROW):
            return None
        told, self._told, self._abnormal_since = self._told, False, None
        return BecameNormal(since) if told else None
