"""Remembers which tests proved which rows of the mission, for `docs/mission.md`.

The report is written only by a whole run: a selection would make proved rows look open.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

_ROWS = "mission_rows"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--mission-report", metavar="FILE", help="write which tests proved which rows of the mission")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        rows = {row for mark in item.iter_markers("mission") for row in mark.args}
        if rows:
            item.user_properties.append((_ROWS, sorted(rows)))


class MissionReport:
    """Collects outcomes where the results arrive (the controller, when workers run the tests)."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._proofs: dict[str, dict[str, str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call" and not (report.when == "setup" and report.skipped):
            return
        for name, rows in report.user_properties:
            if name == _ROWS:
                for row in rows:
                    self._proofs.setdefault(row, {})[report.nodeid.split("@")[0]] = report.outcome

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if hasattr(session.config, "workerinput"):
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(json.dumps(self._proofs, indent=2, sort_keys=True))


def pytest_configure(config: pytest.Config) -> None:
    file = config.getoption("--mission-report")
    whole = not (config.getoption("keyword") or config.getoption("markexpr") or config.args_source.name == "ARGS")
    if file and whole and not hasattr(config, "workerinput"):
        config.pluginmanager.register(MissionReport(Path(file)), "mission-report")
