"""A failed test shows what the processes of the running product said last."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_LINES = 120
_ROUTINE = ("message handled", "account settled", "] told ")  # one line per message would bury what matters

_logs: list[Path] = []


@contextmanager
def shown_on_failure(log: Path) -> Iterator[None]:
    """While this is open, a failing test's report ends with the tail of `log`."""
    _logs.append(log)
    try:
        yield
    finally:
        _logs.remove(log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        for log in _logs:
            report.sections.append((f"the end of {log}", _tail(log)))
    return report


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    return "\n".join([line for line in lines if not any(word in line for word in _ROUTINE)][-_LINES:])
