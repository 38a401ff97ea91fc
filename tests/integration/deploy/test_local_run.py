"""`python -m deploy.local run` as a person starts and ends it: real processes on a state folder of the test's own."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from deploy.local.nats_server import NatsServer
from tests.support.waiting import until

ROOT = Path(__file__).resolve().parents[3]
SERVICES = {"poller", "provisioner", "notifier", "api"}
WITHIN_S = 90.0

pytestmark = [pytest.mark.timeout(240), pytest.mark.xdist_group("local-run")]


class LocalRun:
    """One `make run`, with all that it said."""

    def __init__(self, state: Path, process: asyncio.subprocess.Process) -> None:
        self.state = state
        self.process = process
        self.said = ""

    async def until_said(self, words: str) -> None:
        """Read on until these words have come; fails with everything said if they never do."""
        assert self.process.stdout is not None
        async with asyncio.timeout(WITHIN_S):
            while words not in self.said:
                line = await self.process.stdout.readline()
                assert line, self.said
                self.said += line.decode()

    async def ended(self) -> int:
        """The exit code, with the rest of what it said read."""
        assert self.process.stdout is not None
        async with asyncio.timeout(WITHIN_S):
            self.said += (await self.process.stdout.read()).decode()
            return await self.process.wait()

    def remembered(self) -> dict[str, dict[str, int]]:
        return json.loads((self.state / "run.json").read_text())


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program without the `.env` of whoever runs these tests."""
    folder = tmp_path_factory.mktemp("project")
    for part in ("deploy", "services", "shared"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", "wheels"))
    return folder


@asynccontextmanager
async def local_run(project: Path, state: Path, *options: str, **variables: str) -> AsyncIterator[LocalRun]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("RONDA_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "deploy.local",
        "run",
        *options,
        cwd=project,
        env={**own, "RONDA_STATE_DIR": str(state), **variables},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    run = LocalRun(state, process)
    try:
        yield run
    finally:
        if process.returncode is None:
            process.terminate()
            await run.ended()


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_two_folders_run_beside_each_other_one_folder_only_once_and_ctrl_c_ends_all(
    project: Path, postgres_folder: Path
):
    first_state, second_state = postgres_folder / "first", postgres_folder / "second"
    async with local_run(project, first_state) as first:
        await first.until_said("Ctrl-C ends everything.\n")
        assert "log in as owner, password " in first.said
        assert first.said.count("RONDA_TELEGRAM_TOKEN is not set") == 1, (
            f"a channel that is off is said once:\n{first.said}"
        )

        async with local_run(project, first_state) as again:
            assert await again.ended() == 1
            assert f"Ronda already runs in first (process {first.process.pid})" in again.said
            assert "RONDA_STATE_DIR" in again.said
            assert "Traceback" not in again.said

        async with local_run(project, second_state, "--check") as second:
            assert await second.ended() == 0, second.said
            ours, theirs = first.remembered(), second.remembered()
            assert ours["api_url"] != theirs["api_url"]
            assert not [name for name, pid in theirs["pids"].items() if is_alive(pid)]

        pids = first.remembered()["pids"]
        assert set(pids) == {*SERVICES, "nats", "postgres"}
        assert all(is_alive(pid) for pid in pids.values())
        async with httpx.AsyncClient(base_url=str(ours["api_url"])) as client:
            assert (await client.get("/healthz")).status_code == httpx.codes.OK
        for secret in (first_state / "secrets").iterdir():
            assert secret.stat().st_mode & 0o077 == 0, secret

        first.process.send_signal(signal.SIGINT)
        assert await first.ended() == 0
        assert "Traceback" not in first.said
        assert first.said.count("] stopped") == len(SERVICES), first.said
        for word in ("bus lost", "went away"):
            assert word not in first.said, "the servers end after those who need them"
        await until(lambda: not [name for name, pid in pids.items() if is_alive(pid)])

    async with local_run(project, first_state, "--check") as later:
        assert await later.ended() == 0, later.said
        assert "password" not in later.said, "it is shown once"


async def test_servers_that_are_there_already_are_used(
    project: Path, postgres_folder: Path, database_admin_url: str, nats_server: NatsServer
):
    state = postgres_folder / "state"
    settings = {"RONDA_DATABASE_URL": database_admin_url, "RONDA_NATS_URL": nats_server.url()}
    async with local_run(project, state, "--check", **settings) as run:
        assert await run.ended() == 0, run.said
        assert set(run.remembered()["pids"]) == SERVICES
        assert not (state / "postgresql").exists()
        assert not (state / "nats").exists()


@pytest.mark.parametrize(
    ("variable", "value", "advice"),
    [
        ("RONDA_LOG_LEVEL", "loud", "RONDA_LOG_LEVEL: Input should be 'debug', 'info', 'warning' or 'error'"),
        ("RONDA_TIME_ZONE", "Asia/Nowhere", "RONDA_TIME_ZONE: this is no time zone; one is called Asia/Jakarta"),
    ],
)
async def test_a_wrong_setting_ends_the_start_with_what_is_wrong(
    project: Path, postgres_folder: Path, variable: str, value: str, advice: str
):
    async with local_run(project, postgres_folder / "state", **{variable: value}) as run:
        assert await run.ended() == 1
        assert run.said.count(advice) == 1, "four services read it; it is said once"
        assert "Traceback" not in run.said
        assert not (postgres_folder / "state").exists(), "nothing was started for it"
