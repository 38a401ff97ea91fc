"""What a chart and a report of quality are made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.contracts.vocabulary import Grade
from shared.quality import FEWEST_PACKETS, G1010, QualityBounds, grade_delay, grade_jitter, grade_loss, overall


@dataclass(frozen=True, slots=True)
class Point:
    """A host over one step of a chart, which begins at `at`. Milliseconds; None where nothing came back.

    `p95_ms` is of the slices' mean round trips: nineteen of twenty slices were quicker.
    """

    at: datetime
    sent: int
    received: int
    min_ms: float | None
    avg_ms: float | None
    max_ms: float | None
    p95_ms: float | None
    jitter_ms: float | None

    @property
    def loss_percent(self) -> float:
        """Of the probes; 0 where none was sent."""
        return 100.0 * (self.sent - self.received) / self.sent if self.sent else 0.0


@dataclass(frozen=True, slots=True)
class ReadingPoint:
    """A measured value of a router over one step of a chart."""

    at: datetime
    min: float
    avg: float
    max: float
    p95: float


@dataclass(frozen=True, slots=True)
class Measured:
    """A connection over a span, hours without any answer left out: those are the availability's."""

    sent: int
    received: int
    delay_ms: float | None
    jitter_ms: float | None


@dataclass(frozen=True, slots=True)
class Quality:
    """A connection over a span, graded."""

    sent: int
    delay_ms: float
    jitter_ms: float | None
    loss_percent: float
    delay_grade: Grade
    jitter_grade: Grade | None
    loss_grade: Grade
    grade: Grade


def graded(measured: Measured | None, bounds: QualityBounds = G1010) -> Quality | None:
    """The grades of what was measured; None where that is too little to say anything."""
    if measured is None or measured.sent < FEWEST_PACKETS or measured.delay_ms is None:
        return None
    loss = max(0.0, 100.0 * (measured.sent - measured.received) / measured.sent)
    delay_grade, loss_grade = grade_delay(measured.delay_ms, bounds), grade_loss(loss, bounds)
    jitter_grade = None if measured.jitter_ms is None else grade_jitter(measured.jitter_ms, bounds)
    return Quality(
        sent=measured.sent,
        delay_ms=measured.delay_ms,
        jitter_ms=measured.jitter_ms,
        loss_percent=loss,
        delay_grade=delay_grade,
        jitter_grade=jitter_grade,
        loss_grade=loss_grade,
        grade=overall([each for each in (delay_grade, jitter_grade, loss_grade) if each is not None]),
    )
