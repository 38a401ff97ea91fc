"""The grade of a connection after ITU-T G.1010, from delay, jitter and loss. Pure: the poller and the reports share it.

The published table has holes (loss of 3-4 % and 15-16 %, loss above 25 %) and asks for a jitter of exactly 0, which no
radio link reaches. Here every value has one grade: what lies between two rows belongs to the worse of them, and the
best jitter is anything below a millisecond. The overall grade is the worst of the three.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.contracts.vocabulary import Grade

FEWEST_PACKETS = 100
"""Below this a grade says little: of 20 packets, a single lost one is already 5 %."""

_FROM_BEST = (Grade.EXCELLENT, Grade.GOOD, Grade.POOR, Grade.UNACCEPTABLE)


@dataclass(frozen=True, slots=True)
class Scale:
    """Where the grades of one measurement end. A value is excellent below `excellent`; the other two bounds are
    reached from below, and whether the bound itself still belongs to them is said by `good_ends_before`."""

    excellent: float
    good: float
    poor: float
    good_ends_before: bool  # True: good < its bound; False: good <= its bound. Poor always holds its own bound.

    def __post_init__(self) -> None:
        if not 0 <= self.excellent <= self.good <= self.poor:
            raise ValueError(f"bounds of a scale rise from 0: {self.excellent:g}, {self.good:g}, {self.poor:g}")

    def grade(self, value: float) -> Grade:
        """The grade of one value, in the unit of the bounds."""
        if value < self.excellent:
            return Grade.EXCELLENT
        if value < self.good or (value == self.good and not self.good_ends_before):
            return Grade.GOOD
        return Grade.POOR if value <= self.poor else Grade.UNACCEPTABLE


@dataclass(frozen=True, slots=True)
class QualityBounds:
    """All bounds of the table: mean round trip and mean jitter in milliseconds, loss in percent."""

    delay_ms: Scale = field(default=Scale(150.0, 300.0, 450.0, good_ends_before=True))
    jitter_ms: Scale = field(default=Scale(1.0, 75.0, 125.0, good_ends_before=False))
    loss_percent: Scale = field(default=Scale(1.0, 4.0, 15.0, good_ends_before=True))


G1010 = QualityBounds()
"""The bounds that ship, and what a report says it was graded by."""


def grade_delay(mean_rtt_ms: float, bounds: QualityBounds = G1010) -> Grade:
    """Below 150, below 300, up to 450, above: milliseconds of the mean round trip."""
    return bounds.delay_ms.grade(mean_rtt_ms)


def grade_jitter(jitter_ms: float, bounds: QualityBounds = G1010) -> Grade:
    """Below 1, up to 75, up to 125, above: milliseconds, mean of the differences between consecutive round trips."""
    return bounds.jitter_ms.grade(jitter_ms)


def grade_loss(loss_percent: float, bounds: QualityBounds = G1010) -> Grade:
    """Below 1, below 4, up to 15, above: percent of the probes that stayed unanswered."""
    return bounds.loss_percent.grade(loss_percent)


def overall(grades: Sequence[Grade]) -> Grade:
    """The worst of them. Raises ValueError where there is none."""
    return max(grades, key=_FROM_BEST.index)


def grade_connection(
    *, rtt_ms: float | None, jitter_ms: float | None, loss_percent: float, bounds: QualityBounds = G1010
) -> Grade:
    """The overall grade. What was not measured does not count: where nothing answered, the loss alone speaks."""
    grades = [grade_loss(loss_percent, bounds)]
    if rtt_ms is not None:
        grades.append(grade_delay(rtt_ms, bounds))
    if jitter_ms is not None:
        grades.append(grade_jitter(jitter_ms, bounds))
    return overall(grades)
