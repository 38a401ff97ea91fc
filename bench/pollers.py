"""Pollers as processes on a bus of their own, each behind a line that can be cut."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.local.nats_server import NatsServer
from lab.hosts.farm import HostFarm
from shared.bus.nats import NatsBus
from shared.bus.ports import Entry, Gone
from shared.contracts.ids import HostId, SiteId
from shared.contracts.inventory import Host, ProbePolicy, Site
from shared.contracts.queries import ListOwnWatched
from shared.contracts.streams import INVENTORY_BUCKET, LEASES_BUCKET
from shared.contracts.subjects import unescape_token
from shared.contracts.vocabulary import ProbeKind
from shared.errors import DeadlineExceeded, RondaError
from shared.security.sealing import generate_key

SITE = Site(id=SiteId("waru"), name="Waru")
QUICK = ProbePolicy(
    name="quick", interval_s=1.0, burst_size=3, burst_spacing_s=0.15, recovery_spacing_s=0.1, max_timeout_s=0.5
)
_LOOK_EVERY_S = 0.02
_ROOT = Path(__file__).resolve().parent.parent


class Line:
    """A TCP line to a port of this machine. Cut, it is silent as a pulled cable is: nobody is told, nothing passes."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._server: asyncio.Server | None = None
        self._whole = asyncio.Event()
        self._whole.set()
        self._carrying: set[asyncio.Task[None] | None] = set()
        self.port = 0

    async def open(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """End everything."""
        if self._server is not None:
            self._server.close()
        tasks = [task for task in self._carrying if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def cut(self) -> None:
        """Let nothing pass."""
        self._whole.clear()

    def mend(self) -> None:
        """Let everything pass, what waited first."""
        self._whole.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._carrying.add(task)
        try:
            await self._whole.wait()
            there, back = await asyncio.open_connection("127.0.0.1", self._to)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._carry(reader, back))
                    group.create_task(self._carry(there, writer))
            finally:
                back.close()
        except* (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            self._carrying -= {task}

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while piece := await source.read(65536):
            await self._whole.wait()
            sink.write(piece)
            await sink.drain()
        raise ConnectionResetError("the other end hung up")


class PollerProcess:
    """One poller behind its line."""

    def __init__(self, name: str, line: Line, environment: Mapping[str, str]) -> None:
        self.name = name
        self.line = line
        self._environment = environment
        self._process: asyncio.subprocess.Process | None = None
        self.log: Path | None = None

    async def start(self) -> None:
        """Start it, or start it again."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("RONDA_")}
        output = (
            asyncio.subprocess.DEVNULL
            if self.log is None
            else os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        )
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "services.poller",
            cwd=_ROOT,
            env={**environment, "RONDA_INSTANCE": self.name, **self._environment},
            stdout=output,
            stderr=output,
        )
        if self.log is not None:
            os.close(output)

    @property
    def runs(self) -> bool:
        """Whether it lives."""
        return self._process is not None and self._process.returncode is None

    def send(self, number: signal.Signals) -> None:
        """A signal to this process alone."""
        if self._process is not None:
            self._process.send_signal(number)

    async def ended(self) -> int:
        """Wait for its end; answers the exit code."""
        return 0 if self._process is None else await self._process.wait()

    async def kill(self) -> None:
        """End it without warning."""
        if self.runs:
            self.send(signal.SIGKILL)
            await self.ended()


class Watch:
    """A bus, hosts on loopback, and pollers that share them."""

    def __init__(self, server: NatsServer, bus: NatsBus, farm: HostFarm, logs: Path | None) -> None:
        self.server = server
        self.bus = bus
        self.farm = farm
        self.pollers: list[PollerProcess] = []
        self.names: set[str] = set()
        self._logs = logs
        self._key = generate_key()

    async def start(self, name: str, **settings: str) -> PollerProcess:
        """One more poller."""
        line = Line(self.server.port)
        await line.open()
        url = self.server.url("poller").replace(f":{self.server.port}", f":{line.port}")
        environment = {"RONDA_NATS_URL": url, "RONDA_SEAL_KEYS": self._key, **settings}
        poller = PollerProcess(name, line, environment)
        poller.log = None if self._logs is None else self._logs / f"{name}.log"
        self.pollers.append(poller)
        await poller.start()
        return poller

    async def follow_leases(self) -> None:
        """Learn the names of the pollers that live, until cancelled."""
        leases = await self.bus.bucket(LEASES_BUCKET)
        async for change in leases.watch("poller."):
            if isinstance(change, Entry):
                self.names.add(unescape_token(change.key.removeprefix("poller.")))
            elif isinstance(change, Gone):
                self.names.discard(unescape_token(change.key.removeprefix("poller.")))

    async def watched_by(self, poller: PollerProcess) -> frozenset[HostId]:
        """What this poller watches now; nothing if it does not answer."""
        watched: set[HostId] = set()
        for name in [name for name in self.names if name.startswith(f"{poller.name}.")]:
            with contextlib.suppress(RondaError):
                report = await self.bus.request(ListOwnWatched(poller=name))
                watched |= {host.host_id for host in report.hosts}
        return frozenset(watched)

    async def until_all_watched_by(self, *pollers: PollerProcess, within_s: float = 30.0) -> None:
        """Wait until these pollers share all hosts, each of them some."""

        async def shared() -> bool:
            shares = [await self.watched_by(poller) for poller in pollers]
            return all(shares) and sum(map(len, shares)) == len(self.farm.hosts)

        await until(shared, within_s)

    async def end(self) -> None:
        """End the pollers and their lines."""
        for poller in self.pollers:
            await poller.kill()
            await poller.line.close()


async def until(condition: Callable[[], object], within_s: float) -> None:
    """Wait for something to become true. Raises DeadlineExceeded."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + within_s
    while True:
        found = condition()
        if await found if asyncio.iscoroutine(found) else found:
            return
        if clock() > deadline:
            raise DeadlineExceeded(f"not within {within_s:g} s")
        await asyncio.sleep(_LOOK_EVERY_S)


@asynccontextmanager
async def watch(
    directory: Path, hosts: int, *, site: Site = SITE, logs: Path | None = None, leaf_port: int | None = None
) -> AsyncIterator[Watch]:
    """A bus with an inventory of hosts on loopback, and no poller yet."""
    farm = HostFarm([f"host-{number}" for number in range(hosts)], kind="tcp")
    await farm.start()
    with NatsServer(directory, leaf_port=leaf_port) as server:
        async with NatsBus.connect(server.url(), name="desk", source="desk") as bus:
            made = Watch(server, bus, farm, logs)
            following = asyncio.create_task(made.follow_leases())
            try:
                inventory = await bus.bucket(INVENTORY_BUCKET)
                hosts_described = [described(farm, name, site) for name in farm.names]
                entries: list[Site | ProbePolicy | Host] = [site, QUICK, *hosts_described]
                for entry in entries:
                    await inventory.put(entry.key(), entry.model_dump_json().encode())
                yield made
            finally:
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)
                await made.end()
                await farm.stop()


def described(farm: HostFarm, name: str, site: Site) -> Host:
    """A host of the farm as the inventory has it."""
    host = farm.host(name)
    return Host(
        id=HostId(name),
        site_id=site.id,
        name=name,
        address=host.address,
        probe=ProbeKind.TCP,
        port=host.port,
        policy="quick",
    )
