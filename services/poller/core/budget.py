"""How many probes may leave beside the regular rounds: a fifth of them, and never so few that one site starves.

The share is held in every single second: what may gather while nobody needs it counts into it.
"""

from __future__ import annotations

SHARE = 0.20  # of the regular rounds per second
FLOOR_PER_S = 200.0  # for small networks: 200 packets of 60 bytes are a tenth of a megabit
_SHORTEST_REST_S = 0.002  # several leave together rather than one at each turn of the loop
_GATHERED = 0.2  # of a second's share; the rest flows in evenly


class BurstBudget:
    """Permissions to probe out of turn. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._rounds_per_s = 0.0
        self._left = 0.0
        self._at = 0.0
        self.spent_total = 0

    def add(self, interval_s: float) -> None:
        """One more host is asked every `interval_s` seconds."""
        self._rounds_per_s += 1 / interval_s

    def remove(self, interval_s: float) -> None:
        """One host less is asked."""
        self._rounds_per_s = max(0.0, self._rounds_per_s - 1 / interval_s)

    @property
    def per_s(self) -> float:
        """How many probes may leave in any second."""
        return max(FLOOR_PER_S, SHARE * self._rounds_per_s)

    def take(self, now: float) -> bool:
        """Whether one more may leave now."""
        self._flow(now)
        if self._left < 1:
            return False
        self.spend()
        return True

    def spend(self) -> None:
        """One leaves in any case: parents are asked on behalf of their children whatever is left."""
        self._left -= 1
        self.spent_total += 1

    def next_at(self, now: float) -> float:
        """When the next one may leave."""
        self._flow(now)
        return now + max(_SHORTEST_REST_S, (1 - self._left) / self._flow_per_s)

    @property
    def _flow_per_s(self) -> float:
        return self.per_s * (1 - _GATHERED)

    def _flow(self, now: float) -> None:
        gathered = self.per_s * _GATHERED
        self._left = min(gathered, self._left + max(0.0, now - self._at) * self._flow_per_s)
        self._at = now
