"""What `make` runs first: its words when the machine lacks something, and when it has nothing to do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy import setup
from deploy.local.ports import choose_any

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "deploy").mkdir()
    shutil.copy(ROOT / "deploy/setup.py", tmp_path / "deploy")
    (tmp_path / "requirements").mkdir()
    for lock in ("tools", "local"):
        (tmp_path / f"requirements/{lock}.lock").write_text(f"absent-{lock}==1.0 --hash=sha256:{'0' * 64}\n")
    return tmp_path


def run(project: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*(command or (sys.executable,)), str(project / "deploy/setup.py"), "local"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(project), **variables},
        timeout=100,
    )


def test_without_a_package_index_it_says_what_to_check_and_leaves_no_stamp(project):
    closed = f"http://127.0.0.1:{choose_any()}/simple"
    said = run(project, PIP_INDEX_URL=closed, UV_DEFAULT_INDEX=closed, PIP_CONFIG_FILE="/dev/null")
    assert said.returncode == 1
    assert "Check that this machine reaches a Python package index" in said.stderr
    assert "Traceback" not in said.stderr
    assert len(said.stderr.splitlines()) < 20
    assert not list((project / ".venv").glob(".installed-*"))


def test_without_the_module_venv_it_names_the_package_to_install(project, tmp_path):
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "venv.py").write_text("raise SystemExit('ensurepip is not available')\n")
    said = run(project, PYTHONPATH=str(broken))
    assert said.returncode == 1
    assert "ensurepip is not available" in said.stderr
    assert "python3-venv" in said.stderr
    assert not (project / ".venv").exists()


def test_an_old_python_is_told_which_one_is_needed(monkeypatch, capsys):
    monkeypatch.setattr(setup.sys, "version_info", (3, 9, 18))
    monkeypatch.setattr(setup.sys, "version", "3.9.18 (main)")
    monkeypatch.setattr(setup.sys, "argv", ["setup.py", "local"])
    assert setup.main() == 2
    assert "needs Python 3.11 or newer" in capsys.readouterr().err


def test_even_python_3_6_can_read_the_file_that_says_so():
    import ast

    ast.parse((ROOT / "deploy/setup.py").read_text(), feature_version=(3, 6))
    assert "from __future__" not in (ROOT / "deploy/setup.py").read_text(), "3.6 does not know annotations"


def test_what_is_installed_already_is_left_alone(project):
    lock = project / "requirements/local.lock"
    python = project / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    stamp = project / ".venv/.installed-local"
    stamp.write_text(setup.checksum(lock))
    done = run(project)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_changed_lock_or_interpreter_is_installed_again(project, monkeypatch):
    lock = project / "requirements/local.lock"
    before = setup.checksum(lock)
    assert setup.checksum(lock) == before
    lock.write_text(lock.read_text() + "# changed\n")
    after = setup.checksum(lock)
    assert after != before
    monkeypatch.setattr(setup.sys, "version", "3.99")
    assert setup.checksum(lock) != after
