"""The grade of a connection: every value has one, and the bounds are where the table says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.vocabulary import Grade
from shared.quality import Scale, grade_connection, grade_delay, grade_jitter, grade_loss, overall

E, G, P, U = Grade.EXCELLENT, Grade.GOOD, Grade.POOR, Grade.UNACCEPTABLE
ORDER = (E, G, P, U)


@pytest.mark.parametrize(
    ("value", "grade"), [(0, E), (149.9, E), (150, G), (299.9, G), (300, P), (450, P), (450.1, U), (9e9, U)]
)
def test_delay(value: float, grade: Grade) -> None:
    assert grade_delay(value) is grade


@pytest.mark.parametrize(("value", "grade"), [(0, E), (0.99, E), (1, G), (75, G), (75.1, P), (125, P), (125.1, U)])
def test_jitter(value: float, grade: Grade) -> None:
    assert grade_jitter(value) is grade


@pytest.mark.parametrize(
    ("value", "grade"), [(0, E), (0.99, E), (1, G), (3.5, G), (4, P), (15, P), (15.5, U), (26, U), (100, U)]
)
def test_loss(value: float, grade: Grade) -> None:
    assert grade_loss(value) is grade


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_more_is_never_better(one: float, other: float) -> None:
    low, high = sorted((one, other))
    for grade in (grade_delay, grade_jitter, grade_loss):
        assert ORDER.index(grade(low)) <= ORDER.index(grade(high))


@given(st.lists(st.sampled_from(ORDER), min_size=1))
def test_overall_is_the_worst(grades: list[Grade]) -> None:
    assert ORDER.index(overall(grades)) == max(ORDER.index(grade) for grade in grades)


def test_nothing_answered_is_graded_by_its_loss() -> None:
    assert grade_connection(rtt_ms=None, jitter_ms=None, loss_percent=100) is U


def test_one_bad_measurement_spoils_the_connection() -> None:
    assert grade_connection(rtt_ms=20, jitter_ms=100, loss_percent=0) is P


def test_bounds_that_fall_are_refused() -> None:
    with pytest.raises(ValueError, match="rise from 0"):
        Scale(10, 5, 20, good_ends_before=True)
