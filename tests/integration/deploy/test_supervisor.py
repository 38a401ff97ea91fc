"""The supervisor with real child processes."""

import asyncio
import io
import os
import signal
import sys
from pathlib import Path

import pytest

from deploy.local.output import Output
from deploy.local.supervisor import ChildSpec, Supervisor
from shared.errors import Unreachable
from tests.support.waiting import until

FOREVER = "import signal, sys\nprint('here', flush=True)\nsignal.pause()"


def python(script: str, **options) -> ChildSpec:
    return ChildSpec(name=options.pop("name", "child"), argv=[sys.executable, "-c", script], **options)


@pytest.fixture
def screen():
    return io.StringIO()


@pytest.fixture
async def supervisor(screen):
    supervisor = Supervisor(Output(screen, colour=False))
    yield supervisor
    await supervisor.stop()


async def test_lines_are_prefixed_with_the_childs_name(supervisor, screen):
    await supervisor.start(python(FOREVER, name="poller"))
    await until(lambda: "poller      here\n" in screen.getvalue())


async def test_a_killed_child_is_started_again_and_it_is_said(supervisor, screen):
    child = await supervisor.start(python(FOREVER))
    first = child.pid
    os.kill(first, signal.SIGKILL)
    await until(lambda: child.pid not in (None, first))
    assert "child was ended by SIGKILL; starting it again" in screen.getvalue()


async def test_stop_ends_the_last_started_first(supervisor, screen):
    farewell = "import signal,sys\nsignal.signal(signal.SIGTERM, lambda *_: (print('bye', flush=True), sys.exit()))\n"
    for name in ("first", "second"):
        child = await supervisor.start(python(farewell + FOREVER, name=name))
        await until(lambda name=name: f"{name:<11} here" in screen.getvalue())
    await supervisor.stop()
    said = [line.split()[0] for line in screen.getvalue().splitlines() if line.endswith("bye")]
    assert said == ["second", "first"]
    assert child.pid is None


async def test_a_child_that_never_gets_ready_shows_its_last_lines(supervisor):
    async def never():
        return False

    with pytest.raises(Unreachable, match="port is taken"):
        await supervisor.start(python("print('port is taken'); raise SystemExit(1)", ready=never))


async def test_children_end_with_a_killed_supervisor(tmp_path):
    script = f"""
import asyncio, io, sys
from deploy.local.output import Output
from deploy.local.supervisor import ChildSpec, Supervisor
async def main():
    s = Supervisor(Output(io.StringIO(), colour=False))
    child = await s.start(ChildSpec("child", [sys.executable, "-c", {FOREVER!r}]))
    print(child.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE)
    child = int(await process.stdout.readline())
    process.kill()
    await process.wait()
    await until(lambda: not is_alive(child))


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
