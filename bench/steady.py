"""The real poller asking every second, seen from outside; and fping doing the same.

CPU is the scheduler's own account of the process over the window. When a request left, and how long its answer took, is
read from the kernel's stamps of the packets themselves on the loopback device, for one host in sixteen: the lateness is
the distance from the host's regular moment. Missed are regular moments in the window without a request, and requests
without an answer. The error of a round trip is what the engine told its asker less what the packets' stamps say (an
engine in this process, the same pace). fping runs on the same list with the same spread (`-l -p 1000 -i 0.2`) and,
besides, in its cheapest way, everything in one rush (`-i 0`), which no real network would like.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from bench import field
from bench.figures import Figure, amount, percentile, this_machine
from bench.stage import Stage
from services.poller.adapters.icmp import IcmpProbe
from services.poller.ports import Target
from shared.contracts.vocabulary import ProbeFailure, ProbeKind

MANY, MANY_S = 10_000, 60.0
SOME, SOME_S = 5_000, 20.0
EXACT_S = 10.0
BAR_CPU, BAR_LATE_MS, BAR_TO_FPING, BAR_RTT_US = 40.0, 20.0, 1.2, 50.0


async def measure(stage: Stage) -> list[Figure]:
    """10,000 hosts for a minute, 5,000 beside fping, and round trips against the kernel's clock."""
    await stage.clear()
    return [*await _many(), await _beside_fping(), await _exactness()]


async def _many() -> list[Figure]:
    async with field.poller(MANY, 1.0) as poller:
        used, began = field.cpu_s(poller.process.pid), time.monotonic()
        async with field.tap() as tap:
            await asyncio.sleep(MANY_S)
        percent = (field.cpu_s(poller.process.pid) - used) / (time.monotonic() - began) * 100
        late = tap.lateness_ms(MANY, 1.0)
        missed = _missed(tap)
        memory = poller.memory_mb()
    what = f"{MANY:,} hosts asked every second for {MANY_S:.0f} s"
    worst = f"p50 {amount(percentile(late, 0.5), 'ms')}, worst {amount(max(late), 'ms')}"
    machine = this_machine()
    return [
        Figure("steady_cpu", f"{what}: CPU of the poller", BAR_CPU, percent, "% of a core", 1, machine,
               besides=f"{amount(memory, 'MB')} of memory"),
        Figure("steady_late", f"{what}: lateness of requests", BAR_LATE_MS, percentile(late, 0.99), "ms", len(late),
               machine, statistic="p99", besides=worst),
        Figure("steady_missed", f"{what}: rounds without a request or an answer (one host in {field.ONE_IN})", 0,
               missed, "", len(late), machine, besides=f"{tap.lost} packets not seen by the tap"),
    ]  # fmt: skip


def _missed(tap: field.Tap) -> int:
    """Gaps of more than a round and a half between two requests, and requests without answers (of the last: none)."""
    gaps = sum(
        round(later - earlier) - 1
        for moments in tap.requests.values()
        for earlier, later in pairwise(moments)
        if later - earlier > 1.5
    )
    silent = sum(max(0, len(tap.requests[one]) - len(tap.replies[one])) for one in tap.requests)
    unseen = len(range(0, MANY, field.ONE_IN)) - len(tap.requests)
    return gaps + silent + unseen


async def _beside_fping() -> Figure:
    program = field.fping()
    async with field.poller(SOME, 1.0) as poller:
        with tempfile.TemporaryDirectory() as directory:
            listed = Path(directory) / "addresses"
            listed.write_text("".join(f"{field.address(number)}\n" for number in range(SOME)))
            spread, rush = [
                await asyncio.create_subprocess_exec(
                    program, "-l", "-p", "1000", "-i", pace, "-f", str(listed),
                    stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
                )
                for pace in ("0.2", "0")
            ]  # fmt: skip
            try:
                await asyncio.sleep(2.0)
                pids = (poller.process.pid, spread.pid, rush.pid)
                before = [field.cpu_s(pid) for pid in pids]
                await asyncio.sleep(SOME_S)
                ours, even, burst = [
                    (field.cpu_s(pid) - used) / SOME_S * 100 for pid, used in zip(pids, before, strict=True)
                ]
            finally:
                for process in (spread, rush):
                    process.terminate()
                    await process.wait()
    note = (
        f"ours {amount(ours, '%')}, fping spread {amount(even, '%')}, "
        f"in one rush {amount(burst, '%')} ({ours / burst:.2f} × that)"
    )
    return Figure(
        "steady_fping",
        f"{SOME:,} hosts asked every second: CPU of the poller ÷ fping's",
        BAR_TO_FPING,
        ours / even,
        "×",
        1,
        this_machine(),
        besides=note,
    )


class _Recorder:
    """Keeps the round trips that it is told, by address."""

    def __init__(self) -> None:
        self.rtts_ms: list[float] = []

    def answer(self, number: int, rtt_ms: float) -> None:  # noqa: ARG002
        self.rtts_ms.append(rtt_ms)

    def loss(self, number: int, age_s: float, failure: ProbeFailure) -> None:
        """Shows as a missing answer."""

    def blind(self, number: int, reason: str) -> None:
        """Shows as a missing answer."""


async def _exactness() -> Figure:
    probe = IcmpProbe()
    askers = {field.address(number): _Recorder() for number in range(SOME)}
    targets = [Target(ProbeKind.ICMP, one) for one in askers]
    async with field.tap() as tap:
        began, asked = time.monotonic(), 0
        while (now := time.monotonic() - began) < EXACT_S:
            for number in range(asked, int(now * SOME)):
                target = targets[number % SOME]
                probe.ask(target, number, 1.0, askers[target.address])
            asked = int(now * SOME)
            await asyncio.sleep(0.01)
        await asyncio.sleep(1.1)
    probe.close()
    errors: list[float] = []
    for one, requests in tap.requests.items():
        told, replies = askers[one].rtts_ms, tap.replies[one]
        if len(told) == len(requests) == len(replies):
            pairs = zip(told, requests, replies, strict=True)
            errors += [abs(rtt * 1000 - (back - out) * 1e6) for rtt, out, back in pairs]
    return Figure(
        "steady_rtt",
        f"{SOME:,} hosts a second: error of a round trip against the kernel's stamps of the packets",
        BAR_RTT_US,
        percentile(errors, 0.99),
        "µs",
        len(errors),
        this_machine(),
        statistic="p99",
        besides=f"p50 {amount(percentile(errors, 0.5), 'µs')}, worst {amount(max(errors), 'µs')}",
    )
