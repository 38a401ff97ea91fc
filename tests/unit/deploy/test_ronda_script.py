"""`./ronda`: the command line from whatever folder, in the project's own environment."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "a folder with spaces"
    folder.mkdir()
    shutil.copy(ROOT / "ronda", folder)
    return folder


def run(project: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", **variables}
    command = [str(project / "ronda"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd="/")


def test_before_the_set_up_it_says_what_to_run(project):
    said = run(project, "site", "list")
    assert said.returncode == 1
    assert said.stderr.startswith("Ronda is not set up yet: run make demo")


def test_it_runs_the_projects_own_python_on_the_projects_state(project):
    python = project / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$PYTHONPATH" "$RONDA_STATE_DIR" "$@"\n')
    python.chmod(0o755)
    said = run(project, "site", "add", "Waru Timur", PYTHONPATH="/other")
    expected = [f"{project}:/other", f"{project}/.ronda", "-m", "services.api.cli", "site", "add", "Waru Timur"]
    assert said.stdout.splitlines() == expected
    assert run(project, RONDA_STATE_DIR="/elsewhere").stdout.splitlines()[1] == "/elsewhere"
