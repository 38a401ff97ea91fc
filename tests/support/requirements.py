"""What a test needs of the machine, in one place: present, or skipped with a reason, or (in CI) a failure.

`RONDA_REQUIRE` names the parts that have to be there, e.g. `browser,root,node,docker`; a missing one then fails the run
instead of skipping silently.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from functools import cache

import pytest


@cache
def _docker_answers() -> bool:
    docker = shutil.which("docker")
    return bool(docker) and subprocess.run([docker, "info"], capture_output=True, check=False).returncode == 0


NEEDS: dict[str, tuple[str, Callable[[], bool]]] = {
    "needs_root": ("root", lambda: os.geteuid() == 0 and shutil.which("ip") is not None),
    "needs_browser": ("browser", lambda: shutil.which("chromium") is not None),
    "needs_node": ("node", lambda: shutil.which("npm") is not None),
    "needs_docker": ("docker", _docker_answers),
}


def pytest_runtest_setup(item: pytest.Item) -> None:
    required = set(filter(None, os.environ.get("RONDA_REQUIRE", "").split(",")))
    for marker, (part, present) in NEEDS.items():
        if item.get_closest_marker(marker) and not present():
            if part in required:
                pytest.fail(f"this machine has no {part}, but RONDA_REQUIRE asks for it")
            pytest.skip(f"this machine has no {part}")
