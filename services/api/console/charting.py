"""A host's chart, drawn on the server: median line, band from fastest to slowest, loss as shade. Gaps stay gaps.

The picture has no text of its own: it is stretched to whatever width there is, and its scales stand beside it as HTML.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from services.api.core.charts import Point
from services.api.handlers.measured import Chart

WIDTH, HEIGHT = 1000.0, 200.0
_HEADROOM = 1.15
_CALMEST_MS = 2.0  # a scale finer than this would draw the noise of a quiet link as mountains
_TICKS = 4
_MARKS = 6


@dataclass(frozen=True, slots=True)
class Shade:
    """Loss over some steps in a row: `some`, `much` or `all`."""

    kind: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Picture:
    """What a template needs. `ticks`: round trips in ms from top to bottom; `marks`: moments from left to right."""

    lines: tuple[str, ...]
    slow_lines: tuple[str, ...]
    bands: tuple[str, ...]
    shades: tuple[Shade, ...]
    ticks: tuple[float, ...]
    marks: tuple[datetime, ...]
    mean_ms: float | None
    slow_ms: float | None
    loss_percent: float

    @property
    def empty(self) -> bool:
        """Nothing was measured."""
        return not self.lines and not self.shades


def draw(chart: Chart) -> Picture:
    """The picture of a chart."""
    points = chart.points
    top = _round_up(max(_HEADROOM * max((p.p95_ms or p.avg_ms or 0.0 for p in points), default=0.0), _CALMEST_MS))
    place = _Place(chart, top)
    runs = [run for run in _runs(points, chart.wanted.step_s) if run]
    sent, received = sum(p.sent for p in points), sum(p.received for p in points)
    weighed = [(p.avg_ms, p.received) for p in points if p.avg_ms is not None]
    return Picture(
        lines=tuple(_line(place, [(p.at, p.avg_ms) for p in run if p.avg_ms is not None]) for run in runs),
        slow_lines=tuple(_line(place, [(p.at, p.p95_ms) for p in run if p.p95_ms is not None]) for run in runs),
        bands=tuple(_band(place, run) for run in runs),
        shades=tuple(_shades(place, points)),
        ticks=tuple(top * (_TICKS - number) / _TICKS for number in range(_TICKS + 1)),
        marks=tuple(_marks(chart)),
        mean_ms=sum(avg * n for avg, n in weighed) / sum(n for _, n in weighed) if weighed else None,
        slow_ms=max((p.p95_ms for p in points if p.p95_ms is not None), default=None),
        loss_percent=100.0 * (sent - received) / sent if sent else 0.0,
    )


class _Place:
    """Where a moment and a value are in the picture."""

    def __init__(self, chart: Chart, top_ms: float) -> None:
        self._begins = chart.span.begins
        self._width = WIDTH / max(chart.span.seconds, 1.0)
        self._top = top_ms
        self.step_s = chart.wanted.step_s

    def x(self, at: datetime, steps: float = 0.5) -> float:
        """The middle of a step, or `steps` of it after its begin."""
        passed = (at - self._begins).total_seconds() + steps * self.step_s
        return min(max(passed * self._width, 0.0), WIDTH)

    def y(self, value_ms: float) -> float:
        """Slower is higher; what is beyond the scale lies on its edge."""
        return HEIGHT - min(value_ms / self._top, 1.0) * HEIGHT


def _runs(points: Sequence[Point], step_s: int) -> Iterator[list[Point]]:
    """Answered points that belong together: a line is not drawn over what nobody measured."""
    run: list[Point] = []
    usual = _usual_step(points, step_s)
    for point in points:
        answered = point.avg_ms is not None
        if run and (not answered or point.at - run[-1].at > 2.5 * usual):
            yield run
            run = []
        if answered:
            run.append(point)
    yield run


def _usual_step(points: Sequence[Point], step_s: int) -> timedelta:
    """How far points usually are apart: raw ones come as rarely as the poller speaks."""
    between = sorted(later.at - sooner.at for sooner, later in zip(points, points[1:], strict=False))  # noqa: RUF007
    return max(between[len(between) // 2], timedelta(seconds=step_s)) if between else timedelta(seconds=step_s)


def _line(place: _Place, values: Sequence[tuple[datetime, float]]) -> str:
    if len(values) == 1:  # a lonely point is a dash as wide as its step
        at, value = values[0]
        return f"{place.x(at, 0):.1f},{place.y(value):.1f} {place.x(at, 1):.1f},{place.y(value):.1f}"
    return " ".join(f"{place.x(at):.1f},{place.y(value):.1f}" for at, value in values)


def _band(place: _Place, run: Sequence[Point]) -> str:
    over = [(p.at, p.max_ms) for p in run if p.max_ms is not None]
    under = [(p.at, p.min_ms) for p in reversed(run) if p.min_ms is not None]
    return " ".join(f"{place.x(at):.1f},{place.y(value):.1f}" for at, value in (*over, *under))


def _shades(place: _Place, points: Sequence[Point]) -> Iterator[Shade]:
    wide = _usual_step(points, place.step_s) / timedelta(seconds=place.step_s)
    for kind, group in groupby(points, key=_loss_kind):
        together = list(group)
        if kind:
            begins, ends = place.x(together[0].at, 0), place.x(together[-1].at, wide)
            yield Shade(kind, round(begins, 1), round(max(ends - begins, 2.0), 1))


def _loss_kind(point: Point) -> str:
    loss = point.loss_percent
    if loss <= 0:
        return ""
    return "all" if loss >= 100 else "much" if loss >= 20 else "some"


def _marks(chart: Chart) -> Iterator[datetime]:
    for number in range(_MARKS + 1):
        yield chart.span.begins + (chart.span.ends - chart.span.begins) * number / _MARKS


def _round_up(value: float) -> float:
    """The next of 1, 2, 4, 8 or 10 times a power of ten: all of them have quarters that read well."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 4, 8, 10) if step * power >= value)
