"""The usual delay: how near a few numbers come to the exact median of a week."""

from __future__ import annotations

import math
import random
from statistics import median

import pytest

from services.poller.core.usual import DAY_S, DAYS, ENOUGH, RunningMedian, UsualDelay


def week(rng: random.Random, per_day: int) -> list[list[float]]:
    """Seven days of window means: a level, a swing over the day, noise, and an evening that is worse."""
    level = math.exp(rng.uniform(0, 6))
    days = []
    for _ in range(DAYS):
        swing = rng.uniform(0, 0.3)
        noise = rng.uniform(0.01, 0.4)
        days.append(
            [
                level * (1 + swing * math.sin(2 * math.pi * place / per_day)) * math.exp(rng.gauss(0, noise))
                for place in range(per_day)
            ]
        )
    return days


@pytest.mark.parametrize("per_day", [48, 144, 864])
def test_usual_delay_is_near_the_exact_median_of_the_week(per_day):
    rng, errors = random.Random(per_day), []  # noqa: S311 - a story that is the same every time
    for _ in range(60):
        days, usual = week(rng, per_day), UsualDelay()
        for day, values in enumerate(days):
            for place, value in enumerate(values):
                usual.add(value, day * DAY_S + place * DAY_S / per_day)
        exact = median(value for values in days for value in values)
        errors.append(abs(usual.ms / exact - 1))
    errors.sort()
    assert errors[int(0.99 * len(errors))] < 0.08
    assert median(errors) < 0.03


def test_first_values_are_exact():
    running = RunningMedian()
    for value in (5.0, 1.0, 3.0):
        running.add(value)
    assert running.value == 3.0
    running.add(7.0)
    running.add(100.0)
    assert running.value == 5.0


def test_nothing_is_usual_before_ten_windows():
    usual = UsualDelay()
    for place in range(ENOUGH - 1):
        assert not usual.add(600.0, place)
    assert usual.ms is None
    assert usual.add(600.0, ENOUGH)  # worth remembering
    assert usual.ms == 600.0


def test_days_older_than_seven_are_forgotten_and_a_restart_forgets_nothing():
    usual = UsualDelay()
    for day in range(20):
        for place in range(20):
            usual.add(10.0 if day < 12 else 50.0, day * DAY_S + place)
    assert usual.ms == 50.0
    assert len(usual.remembered()) == DAYS
    assert UsualDelay(usual.remembered()).ms == 50.0
