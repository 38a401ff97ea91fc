"""What it costs to watch routers on which nothing happens: 200 of them, at the interval that ships.

Only the watching is counted, in a process that does nothing else: connections, listens, looks, readings made into JSON.
Neither the routers (a process of their own) nor the bus is part of it.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from asyncio.subprocess import PIPE, Process

import psutil
from pydantic import SecretStr

from bench.figures import Figure, this_machine
from bench.router_farm import PASSWORD
from bench.stage import Stage, until
from services.poller.core.clock_jury import ClockJury
from services.poller.core.reach import Reach
from services.poller.core.records import Record
from services.poller.handlers.doors import RouterDoors
from services.poller.handlers.followers.post import Pace, WatchCounts
from services.poller.handlers.routers import RouterWatcher
from services.poller.handlers.telling import Teller
from shared.bus.memory import MemoryBus
from shared.clock import SystemClock
from shared.contracts.events import Event
from shared.contracts.ids import RouterId, SiteId
from shared.contracts.inventory import Router
from shared.contracts.samples import RouterReadings
from shared.contracts.streams import STATE_BUCKET
from shared.routeros import RouterAddress, RouterSession

ROUTERS = 200
SETTLE_S = 15.0
WINDOW_S = 60.0
BAR_KIB, BAR_PERCENT = 200.0, 40.0


class Silent(Teller):
    """A teller that says nothing: the bus is not what is measured."""

    def tell(self, key: str, event: Event | None, record: Record | None) -> None:
        """Swallow it."""


async def measure(stage: Stage) -> list[Figure]:
    """Watch, wait until it is quiet, look for a minute."""
    await stage.clear()
    farm = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.router_farm", str(ROUTERS), stdin=PIPE, stdout=PIPE
    )
    try:
        return await _watched(farm, json.loads(await _line(farm)))
    finally:
        if farm.stdin is not None:
            farm.stdin.close()
        await farm.wait()


async def _watched(farm: Process, ports: list[int]) -> list[Figure]:
    doors, counts = RouterDoors(), WatchCounts()
    gc.collect()
    before = _resident()
    watchers = await _watchers(ports, doors, counts)
    tasks = [asyncio.create_task(watcher.run()) for watcher in watchers]
    try:
        await until(lambda: _all_open(doors), f"{ROUTERS} routers answer")
        await asyncio.sleep(SETTLE_S)
        heard, cpu_s, began = await _ask(farm), time.process_time(), time.monotonic()
        await asyncio.sleep(WINDOW_S)
        cpu_s, seconds = time.process_time() - cpu_s, time.monotonic() - began
        said = await _ask(farm)
        gc.collect()
        kib = (_resident() - before) / ROUTERS / 1024
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    sentences = (said["sentences"] - heard["sentences"]) / ROUTERS / seconds * 60
    besides = (
        f"{sentences:.1f} sentences a minute and router, {said['logins']} logins of {ROUTERS} routers, "
        f"{counts.looks_failed} looks failed, {counts.readings} values read"
    )
    return [
        Figure("router_memory", _WHAT.format("memory per router"), BAR_KIB, kib, "KiB", ROUTERS, this_machine()),
        Figure(
            "router_cpu",
            _WHAT.format("CPU per 1,000 routers"),
            BAR_PERCENT,
            cpu_s / seconds * 100 * 1000 / ROUTERS,
            "% of a core",
            ROUTERS,
            this_machine(),
            besides=besides,
        ),
    ]


_WHAT = f"watching {ROUTERS} quiet routers (10 ports, 20 leases, every 30 s): {{}}"


async def _watchers(ports: list[int], doors: RouterDoors, counts: WatchCounts) -> list[RouterWatcher]:
    clock, jury = SystemClock(), ClockJury()
    bus = MemoryBus(source="bench", clock=clock)
    teller = Silent(bus, await bus.bucket(STATE_BUCKET), on_takeover=lambda *_: None)

    async def say(readings: RouterReadings) -> None:
        readings.model_dump_json()

    return [
        RouterWatcher(
            _router(number, port),
            Reach(),
            {},
            {},
            address_of=_address,
            connect=RouterSession.connect,
            teller=teller,
            clock=clock,
            doors=doors,
            say=say,
            pace=Pace(),
            counts=counts,
            jury=jury,
        )
        for number, port in enumerate(ports)
    ]


def _router(number: int, port: int) -> Router:
    identity = {"id": RouterId(f"01r{number:05}"), "site_id": SiteId("bench"), "name": f"gw-{number}"}
    return Router(**identity, host="127.0.0.1", port=port, username="admin", sealed_password="sealed")  # noqa: S106


def _address(router: Router) -> RouterAddress:
    password = SecretStr(PASSWORD)
    return RouterAddress(host=router.host, port=router.port, username=router.username, password=password)


async def _all_open(doors: RouterDoors) -> bool:
    return len(doors) == ROUTERS


def _resident() -> int:
    return int(psutil.Process().memory_info().rss)


async def _line(farm: Process) -> bytes:
    if farm.stdout is None:
        raise RuntimeError("the farm has no voice")
    return await asyncio.wait_for(farm.stdout.readline(), 60)


async def _ask(farm: Process) -> dict[str, int]:
    if farm.stdin is None:
        raise RuntimeError("the farm has no ear")
    farm.stdin.write(b"\n")
    await farm.stdin.drain()
    answer: dict[str, int] = json.loads(await _line(farm))
    return answer
