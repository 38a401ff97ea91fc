"""Runs a piece of Python in network and mount namespaces of its own, which vanish with it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[2]


def run_apart(setup: str, python: str, *, without_net_raw: bool = False, timeout_s: float = 60.0) -> Any:
    """Run the shell lines `setup`, then `python`; answers what that prints last, as JSON."""
    drop = "setpriv --bounding-set -net_raw --inh-caps -net_raw" if without_net_raw else ""
    begin = "set -e\nmount -t tmpfs none /run\nmkdir /run/netns\nip link set lo up"
    script = f"{begin}\n{setup}\nexec {drop} {sys.executable} -"
    done = subprocess.run(
        ["unshare", "--net", "--mount", "sh", "-c", script],
        input=python,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        cwd=_ROOT,
        env={"PYTHONPATH": str(_ROOT), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])
