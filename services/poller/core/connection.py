"""One host's connection as its probes measure it: slices come in, once per window it is judged.

Hosts are judged at different moments, spread over their window by their names, so that no moment judges many.
"""

from __future__ import annotations

from datetime import datetime

from services.poller.core.degraded import (
    DEFAULT_BOUNDS,
    NOTHING_TOLD,
    DegradedBounds,
    QualityFact,
    Standing,
    next_standing,
    next_words,
)
from services.poller.core.gauge import Gauge, Slice, Turn
from services.poller.core.quality import Measured, QualityWindow
from services.poller.core.schedule import offset
from services.poller.core.usual import DAY_S, UsualDelay
from shared.contracts.inventory import Host, ProbePolicy
from shared.contracts.vocabulary import ProbeKind

SLICE_S = 10.0
GRADED = frozenset({ProbeKind.ICMP, ProbeKind.TCP, ProbeKind.ROUTER})
"""Probes whose time is the connection's. A page or a record takes as long as the server thinks about it."""


class Connection:
    """What is measured and known of a host's connection. `gauge` is what its probes touch."""

    __slots__ = ("_graded", "_shift", "_windows", "gauge", "host_id", "standing", "usual", "window")

    def __init__(
        self,
        host: Host,
        policy: ProbePolicy,
        turn: Turn,
        standing: Standing = NOTHING_TOLD,
        days: tuple[float, ...] = (),
    ) -> None:
        self.host_id = host.id
        self.gauge = Gauge(turn)
        self.standing = standing
        self.usual = UsualDelay(days)
        self.window = QualityWindow(policy.quality_window_s)
        self._graded = host.probe in GRADED
        self._shift = offset(host.id, max(DAY_S, policy.quality_window_s))
        self._windows = -1

    def end_slice(
        self,
        half: int,
        begin: float,
        now: datetime,
        *,
        up: bool,
        hushed: bool = False,
        bounds: DegradedBounds = DEFAULT_BOUNDS,
    ) -> tuple[Slice | None, QualityFact | None, bool]:
        """Take the slice that began at `begin` (Unix seconds); `up`: the host was up all the while, and we
        could see that. `hushed`: announced work is being done; no alarm begins, and what was told may end.

        Answers the slice (None: nothing was asked), what is to be told, and whether there is something to remember.
        """
        ended = self.gauge.take(half)
        if not self._graded:
            return ended, None, False
        fact, remember = self._judge(begin, now, hushed, bounds)
        if ended is not None and up:
            self.window.add(ended, begin + self._shift)
        return ended, fact, remember

    def measured(self, at: float) -> Measured | None:
        """The window that ends now (Unix seconds)."""
        return self.window.measured(at + self._shift) if self._graded else None

    def warn(self, words: str, now: datetime) -> QualityFact | None:
        """Something besides the window that needs a person soon; no words: it is over."""
        self.standing, fact = next_words(self.standing, words, now)
        return fact

    def _judge(
        self, begin: float, now: datetime, hushed: bool, bounds: DegradedBounds
    ) -> tuple[QualityFact | None, bool]:
        """Judge the window that ended before this slice, if one did. The first one began before we looked."""
        at = begin + self._shift
        windows = int(at / self.window.window_s)
        if windows == self._windows:
            return None, False
        began, self._windows = self._windows, windows
        if began < 0:
            return None, False
        measured = self.window.measured(windows * self.window.window_s)
        before = self.standing
        counted = None if hushed and not before.faults else measured
        self.standing, fact = next_standing(before, counted, self.usual.ms, now, bounds)
        remember = self.standing.faults != before.faults
        if measured is not None and measured.delay_ms is not None:
            remember |= self.usual.add(measured.delay_ms, at)
        return fact, remember
