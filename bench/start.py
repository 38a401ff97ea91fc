"""From `git clone` to the first page: with empty package caches, as a newcomer has it, and with filled ones.

The clock starts before `git clone` of this very repository (its last commit) into an empty folder and stops when the
printed address is known and its log-in page answers 200. The package caches lie in a folder of their own that is empty
at the first run and is what that run filled at the second. Downloading is part of the figure, whatever the line gives.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import httpx

from bench.figures import Figure, this_machine
from bench.stage import Stage
from deploy.local.stack import ROOT
from shared.errors import DeadlineExceeded, Unreachable

BAR_EMPTY_S, BAR_FILLED_S = 120.0, 45.0
FILLED_RUNS = 3
_LATEST_S = 600.0
_LOOK_EVERY_S = 0.05
_ADDRESS = re.compile(r"Ronda +(http://\S+)")


async def measure(stage: Stage) -> list[Figure]:
    """One run with empty caches, then the middle one of some with the caches that it left."""
    await stage.clear()
    with tempfile.TemporaryDirectory(prefix="ronda-start-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        caches = Path(folder) / "caches"
        empty = await _one(Path(folder) / "first", caches)
        filled = sorted([await _one(Path(folder) / f"again-{number}", caches) for number in range(FILLED_RUNS)])
    return [
        _figure("start_empty", "an empty package cache", BAR_EMPTY_S, [empty]),
        _figure("start_filled", "a filled package cache", BAR_FILLED_S, filled),
    ]


def _figure(name: str, cache: str, bar: float, seconds: list[float]) -> Figure:
    besides = f"from {seconds[0]:.1f} to {seconds[-1]:.1f} s" if len(seconds) > 1 else ""
    return Figure(
        name,
        f"`git clone` → first page of `make demo`, with {cache}",
        bar,
        seconds[len(seconds) // 2],
        "s",
        len(seconds),
        this_machine(),
        statistic="median" if len(seconds) > 1 else "",
        besides=besides,
    )


async def _one(folder: Path, caches: Path) -> float:
    """Seconds of one start; everything it made is gone afterwards."""
    environment = _environment(caches)
    started = time.monotonic()
    subprocess.run(["git", "clone", "--quiet", "--no-local", str(ROOT), str(folder)], check=True, env=environment)
    output = folder.with_suffix(".log")
    with output.open("w") as stream:
        demo = subprocess.Popen(
            ["make", "demo"],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            await _first_page(demo, output, started + _LATEST_S)
            return time.monotonic() - started
        finally:
            _end(demo)


def _environment(caches: Path) -> dict[str, str]:
    """This environment without what would lead the clone to our state, our caches or our virtual environment."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("RONDA_", "PYTHON")) and name != "VIRTUAL_ENV"
    }
    own = {"UV_CACHE_DIR": "uv", "PIP_CACHE_DIR": "pip", "XDG_CACHE_HOME": "xdg"}
    return {**kept, **{name: str(caches / part) for name, part in own.items()}}


async def _first_page(demo: subprocess.Popen[bytes], output: Path, latest: float) -> None:
    async with httpx.AsyncClient(follow_redirects=True, timeout=2) as browser:
        while time.monotonic() < latest:
            if demo.poll() is not None:
                raise Unreachable(f"make demo ended: {output.read_text()[-2000:]}")
            printed = _ADDRESS.search(output.read_text())
            if printed and await _answers(browser, printed[1]):
                return
            await asyncio.sleep(_LOOK_EVERY_S)
    raise DeadlineExceeded(f"make demo showed no page: {output.read_text()[-2000:]}")


async def _answers(browser: httpx.AsyncClient, address: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        page = await browser.get(address)  # it leads to the log-in page
        return page.status_code == httpx.codes.OK and "<form" in page.text
    return False


def _end(demo: subprocess.Popen[bytes]) -> None:
    """Ctrl-C, as a person would."""
    if demo.poll() is None:
        os.killpg(demo.pid, signal.SIGINT)
    try:
        demo.wait(30)
    except subprocess.TimeoutExpired:
        os.killpg(demo.pid, signal.SIGKILL)
        demo.wait()
