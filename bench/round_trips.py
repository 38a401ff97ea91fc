"""Echo round trips for a second of one core: the whole way of a probe, fping, and icmplib, by turns in one run.

10,000 addresses on loopback. Ours is the patrol with schedule, engine and judge, asking as fast as it can for some
seconds in a process of its own; fping is `fping -i 0 -c 1 -q` on the same list, from start to end, and icmplib is
`async_multiping` with one packet each, on the first of these addresses. All are bound to the same core, and all are
busy without a pause, so the second is one of CPU time, as the kernel accounts for it: what else runs on the machine
hardly matters. Each turn gives one pair; the figure is the median of the ratios. What fping does without its start (the
difference of one round and six) is shown besides: ours has no start in its figure.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.field import address, fping
from bench.figures import Figure, this_machine
from bench.stage import Stage
from deploy.local.stack import ROOT

HOSTS, TURNS, SECONDS = 10_000, 5, 3.0
ICMPLIB_HOSTS = 2_000
BARS = {"fping": 1.2, "icmplib": 12.0}
_ICMPLIB = f"""
import asyncio, sys, time
from icmplib import async_multiping
addresses = sys.stdin.read().split()[:{ICMPLIB_HOSTS}]
began = time.process_time()
found = asyncio.run(async_multiping(addresses, count=1, interval=0, timeout=1, concurrent_tasks=100, privileged=True))
print(sum(host.is_alive for host in found) / (time.process_time() - began))
"""


async def measure(stage: Stage) -> list[Figure]:
    """Take turns on the last core."""
    await stage.clear()
    program = fping()
    ours, beside, theirs, sustained = [], [], [], []
    with tempfile.TemporaryDirectory() as directory:
        listed = Path(directory) / "addresses"
        listed.write_text("".join(f"{address(number)}\n" for number in range(HOSTS)))
        for _ in range(TURNS):
            said = await _run(sys.executable, "-m", "bench.saturation", str(HOSTS), str(SECONDS))
            ours.append(float(json.loads(said)["per_cpu_second"]))
            one, six = [await _fping_s(program, listed, rounds) for rounds in (1, 6)]
            beside.append(HOSTS / one)
            sustained.append(5 * HOSTS / max(six - one, 1e-9))
            theirs.append(float(await _run(sys.executable, "-c", _ICMPLIB, given=listed.read_bytes())))
    note = f"fping without its start: {statistics.median(sustained):,.0f}/s"
    return [_figure("fping", ours, beside, note), _figure("icmplib", ours, theirs, "")]


def _figure(other: str, ours: Sequence[float], theirs: Sequence[float], note: str) -> Figure:
    rates = f"ours {statistics.median(ours):,.0f}/s, {other} {statistics.median(theirs):,.0f}/s"
    return Figure(
        f"round_trips_{other}",
        f"echo round trips per CPU second, {HOSTS:,} hosts: ours with its judge ÷ {other}",
        BARS[other],
        statistics.median(mine / its for mine, its in zip(ours, theirs, strict=True)),
        "×",
        len(ours),
        this_machine(),
        statistic="p50",
        besides=", ".join(part for part in (rates, note) if part),
        at_least=True,
    )


async def _fping_s(program: str, listed: Path, rounds: int) -> float:
    """CPU seconds of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    await _run(program, "-i", "0", "-p", "1", "-c", str(rounds), "-q", "-f", str(listed))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


async def _run(*command: str, given: bytes = b"") -> str:
    """Run on the last core; what it printed."""
    pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    core = str((os.cpu_count() or 1) - 1)
    process = await asyncio.create_subprocess_exec(
        "taskset", "-c", core, *command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=nothing
    )
    said, _ = await process.communicate(given)
    return said.decode()
