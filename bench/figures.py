"""What a benchmark answers, and how many samples become one figure."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Machine:
    """Where it was measured. `load` is the load average of the last minute when the benchmark ended."""

    cores: int
    python: str
    system: str
    load: float

    def __str__(self) -> str:
        return f"{self.cores} cores, Python {self.python}, {self.system}, load {self.load:.1f}"


def this_machine() -> Machine:
    """The machine as it is now."""
    return Machine(
        os.cpu_count() or 1, platform.python_version(), f"{platform.system()} {platform.machine()}", os.getloadavg()[0]
    )


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure. `measured` is what `bar` limits; `besides` is what else the samples say."""

    name: str
    what: str
    bar: float
    measured: float
    unit: str
    samples: int
    machine: Machine
    statistic: str = ""
    besides: str = ""
    at_least: bool = False  # the bar is a least: a ratio by which we are faster, a rate

    @property
    def holds(self) -> bool:
        """Whether the bar is kept."""
        return self.measured >= self.bar if self.at_least else self.measured <= self.bar

    @property
    def bar_text(self) -> str:
        """The bar with its direction: `≤ 3.50 s`."""
        return f"{'≥' if self.at_least else '≤'} {amount(self.bar, self.unit)}"

    @property
    def text(self) -> str:
        """The figure in a few characters: `p95 2.1 s`."""
        return f"{self.statistic} {amount(self.measured, self.unit)}".strip()


def amount(value: float, unit: str) -> str:
    """A number with the digits that mean something."""
    if math.isnan(value):
        return "–"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f} {unit}"


def percentile(samples: Sequence[float], share: float) -> float:
    """The smallest sample that at least `share` of all do not exceed (nearest rank)."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def of_samples(name: str, what: str, samples: Sequence[float], *, bar: float, unit: str) -> Figure:
    """The 95th percentile as the figure, the median and the worst besides."""
    besides = f"p50 {amount(percentile(samples, 0.5), unit)}, worst {amount(max(samples), unit)}"
    return Figure(
        name,
        what,
        bar,
        percentile(samples, 0.95),
        unit,
        len(samples),
        this_machine(),
        statistic="p95",
        besides=besides,
    )
