"""How a connection was over a policy's quality window: mean delay, jitter and loss of at least 100 packets, graded.

The window rolls in ten steps. Slices are added as they end; nothing is done per probe here. Where confirmations took
the place of rounds and the window holds fewer than 100 packets, it reaches further back, to twice its length at most.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass

from services.poller.core.gauge import Slice
from shared.contracts.events import HostQuality
from shared.quality import FEWEST_PACKETS, G1010, QualityBounds, grade_connection, grade_delay, grade_jitter, grade_loss

_STEPS = 10  # per window
_KEPT = 2 * _STEPS
_SENT, _RECEIVED, _PAIRS, _RTT_SUM, _JITTER_SUM = (place * _KEPT for place in range(5))


@dataclass(frozen=True, slots=True)
class Measured:
    """A connection over one window. None where nothing came back, or nothing that could be compared."""

    window_s: float
    sent: int
    received: int
    delay_ms: float | None
    jitter_ms: float | None

    @property
    def loss_percent(self) -> float:
        """Of the probes sent."""
        return 100.0 * (self.sent - self.received) / self.sent

    def graded(self, bounds: QualityBounds = G1010) -> HostQuality:
        """With the grades of each value and the worst of them, as messages carry it."""
        loss = self.loss_percent
        return HostQuality(
            window_s=round(self.window_s, 3),
            sent=self.sent,
            received=self.received,
            delay_ms=None if self.delay_ms is None else round(self.delay_ms, 3),
            jitter_ms=None if self.jitter_ms is None else round(self.jitter_ms, 3),
            loss_percent=round(loss, 3),
            delay_grade=None if self.delay_ms is None else grade_delay(self.delay_ms, bounds),
            jitter_grade=None if self.jitter_ms is None else grade_jitter(self.jitter_ms, bounds),
            loss_grade=grade_loss(loss, bounds),
            grade=grade_connection(rtt_ms=self.delay_ms, jitter_ms=self.jitter_ms, loss_percent=loss, bounds=bounds),
        )


class QualityWindow:
    """The last two windows of one host in steps. Moments are seconds of any clock that does not go back."""

    __slots__ = ("_step", "_sums", "window_s")

    def __init__(self, window_s: float) -> None:
        self.window_s = window_s
        self._sums = array("f", bytes(4 * 5 * _KEPT))
        self._step = -1

    def add(self, measured: Slice, at: float) -> None:
        """Count a slice that began at `at`."""
        self._advance(at)
        sums, place = self._sums, self._step % _KEPT
        sums[_SENT + place] += measured.sent
        sums[_RECEIVED + place] += measured.received
        sums[_PAIRS + place] += measured.pairs
        sums[_RTT_SUM + place] += measured.rtt_sum
        sums[_JITTER_SUM + place] += measured.jitter_sum

    def measured(self, at: float) -> Measured | None:
        """The window that ends at `at`; None if too few packets were sent to say anything."""
        self._advance(at - self.window_s / _STEPS / 2)
        sums = self._sums
        sent = received = pairs = 0
        rtt_sum = jitter_sum = 0.0
        for back in range(_KEPT):
            if back >= _STEPS and sent >= FEWEST_PACKETS:
                break
            place = (self._step - back) % _KEPT
            sent += int(sums[_SENT + place])
            received += int(sums[_RECEIVED + place])
            pairs += int(sums[_PAIRS + place])
            rtt_sum += sums[_RTT_SUM + place]
            jitter_sum += sums[_JITTER_SUM + place]
        else:
            back = _KEPT
        if sent < FEWEST_PACKETS:
            return None
        return Measured(
            window_s=self.window_s * back / _STEPS,
            sent=sent,
            received=received,
            delay_ms=rtt_sum / received if received else None,
            jitter_ms=jitter_sum / pairs if pairs else None,
        )

    def _advance(self, at: float) -> None:
        """Go on to the step of this moment and empty the ones that were passed over."""
        step = int(at * _STEPS / self.window_s)
        if self._step < 0:  # nothing was counted yet: 50,000 hosts that begin together need not empty 5 million sums
            self._step = step
            return
        for new in range(max(self._step + 1, step - _KEPT + 1), step + 1):
            for column in (_SENT, _RECEIVED, _PAIRS, _RTT_SUM, _JITTER_SUM):
                self._sums[column + new % _KEPT] = 0.0
        self._step = max(self._step, step)
