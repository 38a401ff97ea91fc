"""How fast a bot may speak, by the figures that Telegram's bot FAQ names; exact ones are not public."""

from __future__ import annotations

import math
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from lab.chats.telegram.errors import too_many_requests


@dataclass
class Limits:
    """Strictness that can be switched. Figures are calls per window of seconds."""

    enabled: bool = True
    chat_per_second: float = 1.0
    chat_burst: int = 5
    group_per_minute: int = 20
    bot_per_second: int = 30
    monotonic: Callable[[], float] = time.monotonic
    _chats: dict[str, tuple[float, float]] = field(default_factory=dict)
    _groups: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))
    _bots: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def spend(self, bot: str, chat: str, *, group: bool) -> None:
        """Count one call; raises 429 with the seconds until the next may pass."""
        if not self.enabled:
            return
        now = self.monotonic()
        waits = [self._window(self._bots[bot], self.bot_per_second, 1.0, now)]
        if group:
            waits.append(self._window(self._groups[chat], self.group_per_minute, 60.0, now))
        level, waiting = self._bucket(chat, now)
        waits.append(waiting)
        if max(waits) > 0:
            raise too_many_requests(max(1, math.ceil(max(waits))))
        self._chats[chat] = (level - 1, now)
        self._bots[bot].append(now)
        if group:
            self._groups[chat].append(now)

    def reset(self) -> None:
        """Forget what was counted."""
        self._chats.clear()
        self._groups.clear()
        self._bots.clear()

    def _bucket(self, chat: str, now: float) -> tuple[float, float]:
        level, then = self._chats.get(chat, (float(self.chat_burst), now))
        level = min(float(self.chat_burst), level + (now - then) * self.chat_per_second)
        return level, 0.0 if level >= 1 else (1 - level) / self.chat_per_second

    @staticmethod
    def _window(times: deque[float], allowed: int, seconds: float, now: float) -> float:
        while times and times[0] <= now - seconds:
            times.popleft()
        return 0.0 if len(times) < allowed else times[0] + seconds - now
