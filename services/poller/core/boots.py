"""Whether a router was restarted or upgraded since it was seen last, by its own uptime and version.

Asked only when a connection opens: a restart always ends the one before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

_CERTAIN_S = 2.0  # uptime has whole seconds and travels
_SAME_START = timedelta(seconds=10)
_CRYSTAL = 200e-6  # how far a router's crystal may be off, and ours: 200 ppm, 17 s a day


@dataclass(frozen=True, slots=True)
class Boot:
    """How a router ran at `seen_at`."""

    seen_at: datetime
    uptime_s: float
    version: str

    @property
    def booted_at(self) -> datetime:
        """When it started, by its uptime."""
        return self.seen_at - timedelta(seconds=self.uptime_s)


def restarted(before: Boot, now: Boot) -> bool:
    """Whether the router was started anew between the two.

    Its uptime went backwards; or it is shorter than the time since we saw it last, and the start that it speaks of is
    another one. A step of our own clock alone moves the start, but does not shorten the uptime.
    """
    if now.uptime_s + _CERTAIN_S < before.uptime_s:
        return True
    unseen = now.seen_at - before.seen_at
    if timedelta(seconds=now.uptime_s) > unseen + _SAME_START:
        return False
    tolerance = _SAME_START + (now.seen_at - before.booted_at) * _CRYSTAL
    return now.booted_at - before.booted_at > tolerance
