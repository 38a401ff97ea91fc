"""When a connection is so much worse than usual that somebody should know, and when it is good again.

    quiet ──2 windows running over a bound──▶ degraded ──3 windows running well below all bounds──▶ quiet

This is no grade: a satellite link is Poor all its life and degraded only when it gets worse than itself. Windows do not
overlap. One in which too little was measured ends a run of bad ones, since "running" must mean what it says, and leaves
a run of good ones as it is. Pure: the time only dates facts.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime

from services.poller.core.quality import Measured
from shared.contracts.vocabulary import QualityFault, Severity


@dataclass(frozen=True, slots=True)
class DegradedBounds:
    """Percent and milliseconds. Delay is held against the host's own usual delay, where that is known."""

    loss_percent: float = 5.0
    loss_over_percent: float = 3.0  # below this a loss is over
    critical_loss_percent: float = 20.0
    delay_least_ms: float = 100.0
    delay_factor: float = 3.0
    delay_over_share: float = 0.8  # of the bound; below this a delay is over
    jitter_ms: float = 30.0
    jitter_over_ms: float = 20.0
    windows_bad: int = 2
    windows_good: int = 3

    def delay_ms(self, usual_ms: float | None) -> float:
        """The bound of a host's delay. Unknown usual delay: none, or every satellite link would begin as a fault."""
        return float("inf") if usual_ms is None else max(self.delay_least_ms, self.delay_factor * usual_ms)


DEFAULT_BOUNDS = DegradedBounds()


def bounds_from(text: str) -> DegradedBounds:
    """Bounds from `loss_percent=8,delay_factor=2.5`; what is not named is as it ships. Raises ValueError."""
    known = {field.name: field.type for field in fields(DegradedBounds)}
    given: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = part.partition("=")
        if name not in known:
            raise ValueError(f"{name} is no bound; there are: {', '.join(known)}")
        given[name] = int(value) if known[name] == "int" else float(value)
    bounds = replace(DEFAULT_BOUNDS, **given)  # type: ignore[arg-type]
    if bounds.loss_over_percent > bounds.loss_percent or bounds.jitter_over_ms > bounds.jitter_ms:
        raise ValueError("what ends an alarm must not lie above what begins it")
    if min(bounds.windows_bad, bounds.windows_good) < 1 or not 0 < bounds.delay_over_share <= 1:
        raise ValueError("at least one window is needed, and delay_over_share lies between 0 and 1")
    return bounds


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a host's connection. All but the two counts of windows survives a restart."""

    number: int = 0  # of what was told last; makes the events' ids
    since: datetime | None = None  # degraded since; None: it is not
    severity: Severity = Severity.WARNING
    faults: tuple[QualityFault, ...] = ()
    words: str = ""  # a warning that no window measures
    bad: int = 0
    good: int = 0

    @property
    def degraded(self) -> bool:
        """Whether it was told to be, and not yet to be good again."""
        return self.since is not None

    def remembered(self) -> Standing:
        """What is left after a restart."""
        return replace(self, bad=0, good=0)


NOTHING_TOLD = Standing()


@dataclass(frozen=True, slots=True)
class BecameDegraded:
    """The connection is much worse than usual, or (`words`) something else about the host needs a person soon."""

    at: datetime
    number: int
    faults: tuple[QualityFault, ...]
    severity: Severity
    measured: Measured | None
    usual_ms: float | None
    words: str = ""


@dataclass(frozen=True, slots=True)
class BecameGood:
    """The connection is good again."""

    at: datetime
    number: int
    degraded_since: datetime
    measured: Measured | None


QualityFact = BecameDegraded | BecameGood
Judgement = tuple[Standing, QualityFact | None]


def next_standing(
    standing: Standing,
    measured: Measured | None,
    usual_ms: float | None,
    now: datetime,
    bounds: DegradedBounds = DEFAULT_BOUNDS,
) -> Judgement:
    """The standing after one more window (None: too little was measured in it), and the fact to tell."""
    if measured is None:
        return replace(standing, bad=0), None
    faults = faults_of(measured, usual_ms, bounds)
    if standing.faults:
        return _while_degraded(standing, measured, faults, usual_ms, now, bounds)
    bad = standing.bad + 1 if faults else 0
    if bad < bounds.windows_bad:
        return replace(standing, bad=bad), None
    return _degraded(standing, faults, _severity(measured, bounds), measured, usual_ms, now)


def next_words(standing: Standing, words: str, now: datetime) -> Judgement:
    """The standing after somebody looked at what no window measures; no words: there is nothing to say of it."""
    if words and not standing.words:
        fact = BecameDegraded(now, standing.number + 1, standing.faults, standing.severity, None, None, words)
        return replace(standing, number=fact.number, since=standing.since or now, words=words), fact
    if words or not standing.words:
        return replace(standing, words=words), None
    standing = replace(standing, words="")
    return (standing, None) if standing.faults else _good(standing, None, now)


def faults_of(measured: Measured, usual_ms: float | None, bounds: DegradedBounds) -> tuple[QualityFault, ...]:
    """What of a window is beyond its bound."""
    delay_ms, jitter_ms = measured.delay_ms or 0.0, measured.jitter_ms or 0.0
    found = (
        (QualityFault.LOSS, measured.loss_percent >= bounds.loss_percent),
        (QualityFault.DELAY, delay_ms >= bounds.delay_ms(usual_ms)),
        (QualityFault.JITTER, jitter_ms >= bounds.jitter_ms),
    )
    return tuple(fault for fault, beyond in found if beyond)


def _while_degraded(
    standing: Standing,
    measured: Measured,
    faults: tuple[QualityFault, ...],
    usual_ms: float | None,
    now: datetime,
    bounds: DegradedBounds,
) -> Judgement:
    severity = _severity(measured, bounds)
    if severity is Severity.CRITICAL and standing.severity is not Severity.CRITICAL:
        return _degraded(standing, faults, severity, measured, usual_ms, now)
    good = standing.good + 1 if _is_well_below(measured, usual_ms, bounds) else 0
    if good < bounds.windows_good:
        return replace(standing, good=good), None
    if standing.words:
        return replace(standing, faults=(), severity=Severity.WARNING, bad=0, good=0), None
    return _good(standing, measured, now)


def _degraded(
    standing: Standing,
    faults: tuple[QualityFault, ...],
    severity: Severity,
    measured: Measured,
    usual_ms: float | None,
    now: datetime,
) -> Judgement:
    fact = BecameDegraded(now, standing.number + 1, faults, severity, measured, usual_ms, standing.words)
    return Standing(fact.number, standing.since or now, severity, faults, standing.words), fact


def _good(standing: Standing, measured: Measured | None, now: datetime) -> Judgement:
    fact = BecameGood(now, standing.number + 1, standing.since or now, measured)
    return Standing(fact.number), fact


def _severity(measured: Measured, bounds: DegradedBounds) -> Severity:
    return Severity.CRITICAL if measured.loss_percent >= bounds.critical_loss_percent else Severity.WARNING


def _is_well_below(measured: Measured, usual_ms: float | None, bounds: DegradedBounds) -> bool:
    return (
        measured.loss_percent < bounds.loss_over_percent
        and (measured.delay_ms or 0.0) < bounds.delay_over_share * bounds.delay_ms(usual_ms)
        and (measured.jitter_ms or 0.0) < bounds.jitter_over_ms
    )
