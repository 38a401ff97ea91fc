"""Clients written for Node, installed once from a lock into the state folder."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "node"
CACHE = Path(__file__).parent.parent.parent / ".ronda" / "test-node"


@pytest.fixture(scope="session")
def node_clients() -> Path:
    """A folder with `node_modules` as tests/node/package-lock.json says and our small scripts beside it."""
    digest = hashlib.sha256((SOURCE / "package-lock.json").read_bytes()).hexdigest()[:12]
    folder = CACHE / digest
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / ".installed").exists():
            shutil.copytree(SOURCE, folder, dirs_exist_ok=True)
            done = subprocess.run(
                ["npm", "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"],
                cwd=folder,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            (folder / ".installed").touch()
        for script in SOURCE.glob("*.js"):
            shutil.copy(script, folder)
    return folder
