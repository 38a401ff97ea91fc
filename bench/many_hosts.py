"""What the real poller costs as the network grows: 1,000, 10,000 and 50,000 hosts, asked every 5 seconds.

CPU is the scheduler's own account of the process over the window, which begins when the start is over; memory is its
resident set at the end of it, inventory and bus client included. Linear is what costs ten times as much for ten times
as many: the figure compares the cost that each further host adds from 10,000 to 50,000 with the one from 1,000 to
10,000.
"""

from __future__ import annotations

import asyncio
import time

from bench import field
from bench.figures import Figure, this_machine
from bench.stage import Stage

COUNTS = (1_000, 10_000, 50_000)
INTERVAL_S, SETTLED_S, WINDOW_S = 5.0, 15.0, 20.0
BAR_CPU, BAR_MB, BAR_GROWTH = 100.0, 400.0, 1.2


async def measure(stage: Stage) -> list[Figure]:
    """One after the other."""
    await stage.clear()
    found = [await _one(count) for count in COUNTS]
    cpu = ", ".join(f"{count:,}: {percent:.1f} %" for count, (percent, _) in zip(COUNTS, found, strict=True))
    memory = ", ".join(f"{count:,}: {size:.0f} MB" for count, (_, size) in zip(COUNTS, found, strict=True))
    what = f"{COUNTS[-1]:,} hosts asked every {INTERVAL_S:.0f} s"
    machine = this_machine()
    growth = max(_growth([percent for percent, _ in found]), _growth([size for _, size in found]))
    return [
        Figure("many_cpu", f"{what}: CPU of the poller", BAR_CPU, found[-1][0], "% of a core", 1, machine, besides=cpu),
        Figure("many_memory", f"{what}: memory of the poller", BAR_MB, found[-1][1], "MB", 1, machine, besides=memory),
        Figure("many_growth", "cost of each further host, beyond 10,000 ÷ below", BAR_GROWTH, growth, "×", 3, machine,
               besides=f"CPU {_growth([p for p, _ in found]):.2f}, memory {_growth([m for _, m in found]):.2f}"),
    ]  # fmt: skip


def _growth(costs: list[float]) -> float:
    small, middle, large = COUNTS
    below = (costs[1] - costs[0]) / (middle - small)
    return (costs[2] - costs[1]) / (large - middle) / max(below, 1e-12)


async def _one(count: int) -> tuple[float, float]:
    async with field.poller(count, INTERVAL_S) as poller:
        await asyncio.sleep(SETTLED_S)  # at 50,000 hosts the start goes on for ten seconds after the first round
        used, began = field.cpu_s(poller.process.pid), time.monotonic()
        await asyncio.sleep(WINDOW_S)
        percent = (field.cpu_s(poller.process.pid) - used) / (time.monotonic() - began) * 100
        return percent, poller.memory_mb()
