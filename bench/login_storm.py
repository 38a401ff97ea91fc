"""500 logins a second on 1,000 routers, for a minute: is each told once, how soon, and at what price?

1,000 virtual routers (half RouterOS 6.49, half 7; one process) with 50 sessions each are watched by one poller on a
NATS server of its own; nothing else of the product runs. Then 500 subscribers a second log in, hotspot and PPPoE by
turns, each on the next router. A login's time is from the moment at which the router lets the subscriber in to the one
at which NATS stored `session.opened`, by the clock of the one machine. CPU is what the poller's process used in that
minute, in percent of one core. The routers, the poller and NATS share the cores of the machine.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import psutil

from bench.figures import Figure, amount, percentile, this_machine
from bench.stage import Stage, until
from bench.storm_routers import PASSWORD
from deploy.local.nats_server import NatsServer
from deploy.local.stack import ROOT
from shared.bus.nats import NatsBus
from shared.contracts.events import SessionOpened
from shared.contracts.ids import RouterId, SiteId
from shared.contracts.inventory import Router
from shared.contracts.streams import EVENTS, INVENTORY_BUCKET
from shared.errors import Unreachable
from shared.security.sealing import ROUTER_PASSWORD, KeyRing, generate_key

ROUTERS = int(os.environ.get("BENCH_STORM_ROUTERS", "1000"))
SESSIONS = 50
RATE, SECONDS = float(os.environ.get("BENCH_STORM_RATE", "500")), float(os.environ.get("BENCH_STORM_SECONDS", "60"))
BAR_MS, BAR_PERCENT = 250.0, 100.0
_LINE_LIMIT = 1 << 26  # the answer to a storm is one line
_PATIENCE_S = 180.0


class StormRouters:
    """The lab's process."""

    def __init__(self, child: asyncio.subprocess.Process) -> None:
        self._child = child

    async def ask(self, command: str) -> dict[str, Any]:
        """Say a command and wait for its answer."""
        assert self._child.stdin is not None  # noqa: S101 - it was started with a pipe
        self._child.stdin.write(f"{command}\n".encode())
        return await self.answer()

    async def answer(self) -> dict[str, Any]:
        """The next answer. Raises Unreachable when the process has ended."""
        assert self._child.stdout is not None  # noqa: S101 - it was started with a pipe
        line = await self._child.stdout.readline()
        if not line:
            raise Unreachable("the routers of the storm have ended")
        return dict(json.loads(line))


async def measure(stage: Stage) -> list[Figure]:
    """Watch, wait until all that is there is known, storm, read what was told."""
    await stage.clear()
    with tempfile.TemporaryDirectory() as folder, NatsServer(Path(folder)) as server:
        async with _routers() as routers, NatsBus.connect(server.url(), name="bench", source="bench") as bus:
            ports = (await routers.answer())["ports"]
            await routers.ask(f"fill {SESSIONS}")
            keys = generate_key()
            await _register(bus, ports, keys)
            with _poller(server, keys, Path(folder)) as poller:
                await _known(bus, ROUTERS * SESSIONS)
                await asyncio.sleep(5)
                return await _storm(bus, routers, poller)


async def _storm(bus: NatsBus, routers: StormRouters, poller: psutil.Process) -> list[Figure]:
    place = (await _opened(bus, 0))[-1][2]
    before = poller.cpu_times()
    storm = await routers.ask(f"storm {RATE} {SECONDS}")
    after = poller.cpu_times()
    done, seconds = storm["logins"], storm["seconds"]
    await asyncio.sleep(3)
    told = await _opened(bus, place)
    counted = Counter(account for account, _, _ in told)
    lost, twice = len(done.keys() - counted.keys()), sum(count > 1 for count in counted.values())
    delays = [(stored_at - done[account]) * 1000 for account, stored_at, _ in told if account in done]
    percent = (after.user + after.system - before.user - before.system) / seconds * 100
    rate = len(done) / seconds
    lab = f"{rate:.0f} logins/s came, p99 {amount(storm['late_ms'], 'ms')} later than they should"
    spent = f"the lab's process used {amount(storm['cpu_s'], 's')} in all its life"
    return _figures(
        delays, lost + twice, percent, lab, f"memory {amount(poller.memory_info().rss / 1e6, 'MB')}; {spent}"
    )


def _figures(delays: Sequence[float], wrong: int, percent: float, lab: str, memory: str) -> list[Figure]:
    what = f"{RATE:.0f} logins/s on {ROUTERS:,} routers with {SESSIONS} sessions each, {SECONDS:.0f} s: "
    machine, count = this_machine(), len(delays)
    spread = f"p50 {amount(percentile(delays, 0.5), 'ms')}, worst {amount(max(delays), 'ms')}; {lab}"
    late = percentile(delays, 0.99)
    return [
        Figure("login_storm", f"{what}router → bus", BAR_MS, late, "ms", count, machine, "p99", spread),
        Figure("login_storm_once", f"{what}told not at all or twice", 0.0, float(wrong), "logins", count, machine),
        Figure(
            "login_storm_cpu", f"{what}the poller's CPU", BAR_PERCENT, percent, "% of a core", 1, machine, "", memory
        ),
    ]


async def _opened(bus: NatsBus, after: int) -> list[tuple[str, float, int]]:
    """Account, time of storage and place of every opening after a place in the stream."""
    return [
        (one.message.account, one.stored_at.timestamp(), one.sequence)
        async for one in bus.read(EVENTS, SessionOpened.filter(), after_sequence=after, follow=False)
        if one is not None and isinstance(one.message, SessionOpened)
    ]


async def _known(bus: NatsBus, count: int) -> None:
    seen = 0
    place = 0

    async def all_told() -> bool:
        nonlocal seen, place
        found = await _opened(bus, place)
        seen += len(found)
        place = found[-1][2] if found else place
        await asyncio.sleep(1)
        return seen >= count

    await until(all_told, f"{count} sessions are known", _PATIENCE_S)


async def _register(bus: NatsBus, ports: dict[str, int], keys: str) -> None:
    inventory = await bus.bucket(INVENTORY_BUCKET)
    sealed = KeyRing.parse(keys).seal(PASSWORD, purpose=ROUTER_PASSWORD)
    for name, port in ports.items():
        entry = Router(
            id=RouterId(name),
            site_id=SiteId("storm"),
            name=name,
            host="127.0.0.1",
            port=port,
            username="admin",
            sealed_password=sealed,
        )
        await inventory.put(entry.key(), entry.model_dump_json().encode())


@asynccontextmanager
async def _routers() -> AsyncIterator[StormRouters]:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.storm_routers", "0", str(ROUTERS)),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        limit=_LINE_LIMIT,
    )
    try:
        yield StormRouters(child)
    finally:
        child.terminate()
        await child.wait()


@contextmanager
def _poller(server: NatsServer, keys: str, folder: Path) -> Iterator[psutil.Process]:
    own = {"RONDA_NATS_URL": server.url("poller"), "RONDA_SEAL_KEYS": keys, "RONDA_INSTANCE": "poller-storm"}
    environment = {**os.environ, **own, "RONDA_HEALTH_PORT": "0"}
    with (folder / "poller.log").open("wb") as lines:  # at the level that ships: lines cost time, too
        child = subprocess.Popen([sys.executable, "-m", "services.poller"], cwd=ROOT, env=environment, stderr=lines)
        try:
            yield psutil.Process(child.pid)
        finally:
            child.terminate()
            child.wait(20)
