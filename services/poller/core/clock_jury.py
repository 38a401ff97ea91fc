"""Whose clock is wrong? If most routers agree that they are ahead by the same, it is ours that is behind."""

from __future__ import annotations

from datetime import datetime, timedelta
from statistics import median

from shared.contracts.ids import RouterId

QUORUM = 3
_AGREE_S = 5.0  # routers that keep time agree within this
_FRESH = timedelta(minutes=5)
_JUDGE_EVERY = timedelta(seconds=10)


class ClockJury:
    """What each router's clock said last, and what follows for ours."""

    def __init__(self) -> None:
        self._said: dict[RouterId, tuple[float, datetime]] = {}
        self._judged_at: datetime | None = None
        self.own_error_s = 0.0
        """How far our clock is behind (negative: ahead), by the agreement of more than half of the routers; 0.0
        while they agree that it is right, do not agree, or are too few."""

    def heard(self, router_id: RouterId, drift_s: float, now: datetime) -> float:
        """A router seems to be ahead of us by `drift_s`; how much of that is its own fault."""
        self._said[router_id] = drift_s, now
        if self._judged_at is None or abs(now - self._judged_at) >= _JUDGE_EVERY:
            self._judged_at = now
            self.own_error_s = self._judge(now)
        return round(drift_s - self.own_error_s, 1)

    def _judge(self, now: datetime) -> float:
        self._said = {router: said for router, said in self._said.items() if abs(now - said[1]) <= _FRESH}
        drifts = [drift_s for drift_s, _ in self._said.values()]
        if len(drifts) < QUORUM:
            return 0.0
        middle = median(drifts)
        agreeing = sum(abs(drift_s - middle) <= _AGREE_S for drift_s in drifts)
        return middle if 2 * agreeing > len(drifts) and abs(middle) > _AGREE_S else 0.0
