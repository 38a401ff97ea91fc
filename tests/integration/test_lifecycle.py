"""A service as a real process: signals, crashes, wrong settings, and their exit codes."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]

PROGRAM = """
import asyncio, os, sys
from contextlib import asynccontextmanager
from pydantic import Field
from shared.config import ServiceSettings
from shared.errors import Misconfigured, Unreachable
from shared.lifecycle import Service, run_service

class Settings(ServiceSettings):
    mode: str = Field(default="", description="How to behave.")
    needed: int = Field(description="Must be given.")

@asynccontextmanager
async def opened(name):
    print("open", name, flush=True)
    try:
        yield
    finally:
        print("close", name, flush=True)

async def forever():
    try:
        await asyncio.Event().wait()
    finally:
        print("loop cancelled", flush=True)

@asynccontextmanager
async def build(settings):
    async with opened("bus"), opened("database"):
        if settings.mode == "refuse":
            raise Misconfigured("RONDA_X is odd")
        if settings.mode == "away":
            raise Unreachable("the bus does not answer")
        async def other():
            if settings.mode in ("crash", "return"):
                await asyncio.sleep(0.05)
            if settings.mode == "crash":
                raise RuntimeError("bug with password=geheim")
            if settings.mode == "return":
                return
            await forever()
        yield Service(loops={"main": forever, "other": other})

@asynccontextmanager
async def stuck(settings):
    async with build(settings) as service:
        try:
            yield service
        finally:
            print("stuck", flush=True)
            if settings.mode == "hang":
                import time
                time.sleep(60)
            await asyncio.sleep(60)

mode = os.environ.get("RONDA_MODE", "")
chosen = stuck if mode in ("stuck", "hang") else build
raise SystemExit(run_service("demo", Settings, chosen, shutdown_s=float(sys.argv[1])))
"""


class Program:
    def __init__(self, mode: str = "", shutdown_s: float = 10, **environ: str) -> None:
        wanted = {"RONDA_NEEDED": "1", "RONDA_MODE": mode, "RONDA_LOG_FORMAT": "json", "PYTHONPATH": str(ROOT)}
        self.child = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(shutdown_s)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={"PATH": os.environ["PATH"], **wanted, **environ},
        )
        self.lines: list[dict] = []

    def until(self, event: str) -> dict:
        assert self.child.stderr is not None
        for line in self.child.stderr:
            self.lines.append(json.loads(line))
            if self.lines[-1]["event"] == event:
                return self.lines[-1]
        raise AssertionError(f"no line {event}: {self.lines}")

    def until_said(self, text: str) -> None:
        assert self.child.stdout is not None
        assert any(line.strip() == text for line in self.child.stdout)

    def end(self) -> tuple[int, str, str]:
        out, err = self.child.communicate(timeout=30)
        return self.child.returncode, out, err


@pytest.fixture
def start():
    started: list[Program] = []

    def begin(*args, **more) -> Program:
        started.append(Program(*args, **more))
        return started[-1]

    yield begin
    for program in started:
        if program.child.poll() is None:
            program.child.kill()
        program.child.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_cancels_loops_and_closes_in_reverse_order(start, number):
    program = start()
    program.until("started")
    program.child.send_signal(number)
    code, out, err = program.end()
    assert code == 0
    assert out.splitlines() == [
        "open bus", "open database", "loop cancelled", "loop cancelled", "close database", "close bus",
    ]  # fmt: skip
    assert "Traceback" not in err
    assert json.loads(err.splitlines()[-1])["event"] == "stopped"


def test_health_is_served_while_it_runs(start):
    program = start()
    address = program.until("health is served")["address"]
    program.until("started")
    answer = httpx.get(f"{address}/healthz", timeout=5)
    assert answer.json() == {"alive": True, "loops": {"main": True, "other": True}}
    program.child.terminate()
    assert program.end()[0] == 0


@pytest.mark.parametrize("mode", ["crash", "return"])
def test_the_end_of_one_loop_ends_the_process_with_a_clear_line(start, mode: str):
    code, out, err = start(mode).end()
    assert code == 1
    assert out.splitlines()[-2:] == ["close database", "close bus"]
    lines = [json.loads(line) for line in err.splitlines()]
    assert any(line.get("loop") == "other" and line["level"] == "error" for line in lines)
    assert "geheim" not in err


def test_what_is_away_at_start_is_told_without_a_trace(start):
    code, out, err = start("away").end()
    assert code == 1
    assert "the bus does not answer" in err
    assert "Traceback" not in err
    assert out.splitlines()[-1] == "close bus"


def test_wrong_settings_are_all_told_without_a_trace(start):
    code, _, err = start(RONDA_NEEDED="", RONDA_HEALTH_PORT="x").end()
    assert code == 2
    assert "RONDA_NEEDED is missing" in err
    assert "RONDA_HEALTH_PORT" in err
    assert "Traceback" not in err
    code, _, err = start("refuse").end()
    assert code == 2
    assert "RONDA_X is odd" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("mode", ["stuck", "hang"])
def test_stopping_is_bounded_even_if_the_event_loop_hangs(start, mode: str):
    program = start(mode, shutdown_s=0.3)
    program.until("started")
    program.child.terminate()
    code, out, err = program.end()
    assert code == 1
    assert "stuck" in out
    assert "stopping took too long" in err


def test_a_second_signal_ends_it_at_once(start):
    program = start("stuck", shutdown_s=60)
    program.until("started")
    program.child.terminate()
    program.until_said("stuck")
    program.child.terminate()
    assert program.end()[0] == 128 + signal.SIGTERM
