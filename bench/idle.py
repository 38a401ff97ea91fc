"""What the demo costs while nothing happens: 20 hosts asked once a second, 3 routers, 60 sessions, nobody moves.

Memory is the proportional set size (what is shared between processes is counted once) of the four services, NATS and
every process of PostgreSQL, at the end of the minute. CPU is what the same processes used in that minute, in percent of
one core. The supervisor and the lab are no part of an installation: shown, not counted.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass

import psutil

from bench.figures import Figure, amount, this_machine
from bench.stage import Stage, until
from deploy.local.rehearsal import Rehearsal

SESSIONS = 60
SETTLE_S = 20.0
WINDOW_S = 60.0
BAR_MB, BAR_PERCENT = 500.0, 10.0
NOT_COUNTED = ("lab", "supervisor")


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one part with all its processes."""

    memory_mb: float
    cpu_s: float


async def measure(stage: Stage) -> list[Figure]:
    """Let everybody log in, wait until it is quiet, look for a minute."""
    product = await stage.product()
    inventory = (await product.lab.get("/lab/api/inventory")).raise_for_status().json()
    for subscriber in inventory["subscribers"]:
        await product.lab_do("subscribers", subscriber["user"], "login")
    await until(lambda: _all_logged_in(product), f"{SESSIONS} sessions are open")
    await asyncio.sleep(SETTLE_S)
    before, started = _costs(product.stack.pids()), time.monotonic()
    await asyncio.sleep(WINDOW_S)
    after, seconds = _costs(product.stack.pids()), time.monotonic() - started
    percents = {name: (after[name].cpu_s - before[name].cpu_s) / seconds * 100 for name in after}
    return [
        _figure("idle_memory", "memory", {name: cost.memory_mb for name, cost in after.items()}, BAR_MB, "MB"),
        _figure("idle_cpu", "CPU", percents, BAR_PERCENT, "% of a core"),
    ]


async def _all_logged_in(product: Rehearsal) -> bool:
    return len(await product.all_of("sessions", open="true")) >= SESSIONS


def _costs(pids: Mapping[str, int]) -> dict[str, Cost]:
    return {name: _cost(psutil.Process(pid)) for name, pid in pids.items()} | {
        "supervisor": _cost(psutil.Process(os.getpid()), alone=True)
    }


def _cost(process: psutil.Process, *, alone: bool = False) -> Cost:
    memory = cpu = 0.0
    for each in [process, *([] if alone else process.children(recursive=True))]:
        memory += each.memory_full_info().pss / 1e6
        spent = each.cpu_times()
        cpu += spent.user + spent.system
    spent = process.cpu_times()  # children that came and went are in their parent's account
    return Cost(memory, cpu if alone else cpu + spent.children_user + spent.children_system)


def _figure(name: str, what: str, parts: Mapping[str, float], bar: float, unit: str) -> Figure:
    counted = {part: value for part, value in parts.items() if part not in NOT_COUNTED}
    each = ", ".join(f"{part} {amount(value, '').strip()}" for part, value in sorted(counted.items()))
    beside = ", ".join(f"{part} {amount(value, '').strip()}" for part, value in parts.items() if part in NOT_COUNTED)
    return Figure(
        name,
        f"idle demo (20 hosts, 3 routers, {SESSIONS} sessions): {what} of the four services, NATS and PostgreSQL",
        bar,
        sum(counted.values()),
        unit,
        1,
        this_machine(),
        besides=f"{each}; not counted: {beside}",
    )
