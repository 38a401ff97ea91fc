"""Slows down who guesses passwords: a few tries per address and login name, then waiting.

Counts live in the memory of one process on purpose: an attacker cannot fill the database with them, and a restart
gives away no more than a few tries.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

TRIES = 5
WINDOW_S = 300.0
MAX_REMEMBERED = 10_000


@dataclass(slots=True)
class LoginThrottle:
    """Failed tries by key (an address, a login name); times are monotonic seconds."""

    tries: int = TRIES
    window_s: float = WINDOW_S
    _failures: OrderedDict[str, list[float]] = field(default_factory=OrderedDict)

    def wait_s(self, keys: Sequence[str], now: float) -> float:
        """How long these keys have to wait; 0: they may try."""
        return max((self._wait_of(key, now) for key in keys), default=0.0)

    def failed(self, keys: Sequence[str], now: float) -> None:
        """Remember a failed try."""
        for key in keys:
            recent = self._recent(key, now)
            recent.append(now)
            self._failures[key] = recent
            self._failures.move_to_end(key)
        while len(self._failures) > MAX_REMEMBERED:
            self._failures.popitem(last=False)

    def succeeded(self, keys: Sequence[str]) -> None:
        """Forget the failures of these keys."""
        for key in keys:
            self._failures.pop(key, None)

    def _wait_of(self, key: str, now: float) -> float:
        recent = self._recent(key, now)
        return recent[-self.tries] + self.window_s - now if len(recent) >= self.tries else 0.0

    def _recent(self, key: str, now: float) -> list[float]:
        return [at for at in self._failures.get(key, []) if now - at < self.window_s]
