"""One table from code to status: every error that can reach the border is in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import services.api.core.faults  # noqa: F401 - its errors have to be known
from services.api.routes.problems import STATUS_OF_CODE, TITLES, problem_of
from shared.errors import Busy, Misconfigured, Rejected, RondaError


def all_errors(root: type[RondaError] = RondaError) -> Iterator[type[RondaError]]:
    yield root
    for child in root.__subclasses__():
        yield from all_errors(child)


@pytest.mark.parametrize(
    "error", [e for e in all_errors() if e.__module__.startswith(("shared.errors", "services.api"))]
)
def test_every_code_has_a_status_with_a_title(error: type[RondaError]) -> None:
    assert STATUS_OF_CODE[error.code] in TITLES


def test_refusal_keeps_the_other_sides_words() -> None:
    problem = problem_of(Rejected("The router refuses.", words="failure: already have user"))
    assert (problem.status, problem.words) == (502, "failure: already have user")


def test_delay_is_told() -> None:
    assert problem_of(Busy("slowly", retry_after=3.5)).retry_after == 3.5


def test_our_own_fault_is_a_500() -> None:
    assert problem_of(Misconfigured("x")).status == 500
