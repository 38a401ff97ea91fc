"""Whole pollers beside each other in virtual time, each with its own way to the bus and its own eyes."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress

from services.poller.main import build
from services.poller.settings import PollerSettings
from shared.bus.memory import MemoryBus, MemoryServer
from shared.contracts.events import Event, HostTransition
from shared.contracts.ids import HostId, SiteId
from shared.contracts.inventory import Host, ProbePolicy, Router, Site
from shared.contracts.live import Hop
from shared.contracts.streams import EVENTS, INVENTORY_BUCKET
from shared.contracts.vocabulary import ProbeKind
from shared.errors import Unreachable
from shared.lifecycle import running
from shared.routeros import RouterAddress
from shared.security.sealing import generate_key
from tests.fakes.cut_off_bus import CutOffBus
from tests.fakes.network import FakeNetwork, FakeResolver
from tests.fakes.router_session import FakeRouter, FakeRouterSession
from tests.fakes.virtual_time import VirtualClock, run_virtually

WARU, LERENG = Site(id=SiteId("waru"), name="Waru"), Site(id=SiteId("lereng"), name="Lereng")
QUICK = ProbePolicy(
    name="quick", interval_s=1.0, burst_size=3, burst_spacing_s=0.15, recovery_spacing_s=0.1, max_timeout_s=0.3
)
KEYS = generate_key()
Story = Callable[["Crew"], Awaitable[None]]


class Eyes:
    """The network as this poller sees it now."""

    def __init__(self, poller: Poller) -> None:
        self._poller = poller

    def ask(self, *question: object) -> None:
        self._poller.network.ask(*question)


class Poller:
    """One that runs beside others."""

    def __init__(self, crew: Crew, number: int, settings: dict[str, object], *, cut_off: bool) -> None:
        self.bus = CutOffBus(crew.server, source=f"poller-{number}")
        if cut_off:
            self.bus.way.refuse()
        self.settings = PollerSettings(seal_keys=KEYS, **{"instance": f"p{number}"} | settings)
        self.network = crew.network
        self.logins: list[str] = []  # the routers that it has logged in to
        self.traced: list[str] = []
        self._crew = crew
        self._task = asyncio.create_task(self._live())
        self.service = None

    async def _live(self) -> None:
        crew = self._crew
        probes: dict[ProbeKind, Eyes] = dict.fromkeys(ProbeKind, Eyes(self))
        with suppress(asyncio.CancelledError):
            async with (
                build(
                    self.settings,
                    clock=crew.clock,
                    bus=self.bus,
                    probes=probes,
                    resolver=FakeResolver(),
                    connect=self._connect,
                    trace=self._trace,
                ) as service,
                running(service),
            ):
                self.service = service
                await asyncio.Event().wait()

    async def _connect(self, address: RouterAddress) -> FakeRouterSession:
        router = self._crew.routers.get(address.host)
        if router is None:
            raise Unreachable(f"{address.host}: connection refused")
        self.logins.append(address.host)
        return router.session()

    async def _trace(self, address: str, _max_hops: int) -> tuple[Hop, ...]:
        self.traced.append(address)
        return (Hop(number=1, address=address, rtt_ms=1.0),)

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def die(self) -> None:
        self.bus.way.refuse()
        await self.stop()

    def metric(self, name: str) -> float:
        [line] = [line for line in self.service.metrics.render().decode().splitlines() if line.startswith(f"{name} ")]
        return float(line.split()[1])


class Crew:
    """Pollers, the hosts that they share, and the truth about those."""

    def __init__(self, hosts: int) -> None:
        self.clock = VirtualClock()
        self.server = MemoryServer(self.clock)
        self.bus = MemoryBus(source="desk", server=self.server)
        self.network = FakeNetwork()
        self.hosts = [self.host(number) for number in range(hosts)]
        self.routers: dict[str, FakeRouter] = {}  # by address
        self.pollers: list[Poller] = []
        self.started = 0

    def host(self, number: int, site: Site = WARU) -> Host:
        return Host(
            id=HostId(f"h{number}"), site_id=site.id, name=f"h{number}", address=f"10.0.0.{number + 1}", policy="quick"
        )

    async def begin(self, pollers: int) -> None:
        await self.put(WARU, LERENG, QUICK, *self.hosts)
        for _ in range(pollers):
            self.start()
        await asyncio.sleep(4)

    async def put(self, *entries: Site | Host | ProbePolicy | Router) -> None:
        inventory = await self.bus.bucket(INVENTORY_BUCKET)
        for entry in entries:
            await inventory.put(entry.key(), entry.model_dump_json().encode())

    def start(self, *, cut_off: bool = False, **settings: object) -> Poller:
        self.started += 1
        self.pollers.append(Poller(self, self.started, settings, cut_off=cut_off))
        return self.pollers[-1]

    async def end(self) -> None:
        for poller in self.pollers:
            poller.bus.way.restore()
        await asyncio.gather(*(poller.stop() for poller in self.pollers))

    def flip(self, host: Host) -> None:
        self.network.cut ^= {host.address}

    async def events(self) -> list[Event]:
        found = self.bus.read(EVENTS, after_sequence=0, follow=False)
        return [received.message async for received in found if received is not None]

    async def told(self) -> dict[HostId, list[HostTransition]]:
        told = defaultdict(list)
        for event in await self.events():
            if isinstance(event, HostTransition):
                told[event.host_id].append(event)
        return told

    def who_asks(self, since: float) -> set[str]:
        return {address for at, address in self.network.asked_at if at > since}


def together(story: Story, *, hosts: int = 8, pollers: int = 2) -> None:
    async def run() -> None:
        crew = Crew(hosts)
        await crew.begin(pollers)
        try:
            await story(crew)
        finally:
            await crew.end()

    run_virtually(run())


async def everything_is_told_once(crew: Crew, flips: dict[HostId, int]) -> None:
    told = await crew.told()
    for host in crew.hosts:
        events = told[host.id]
        first = events[0].transition if events else 0
        numbers = [event.transition - first for event in events]
        assert numbers == list(range(len(events))), f"{host.id}: {numbers}"
        kinds = [type(event).__name__ for event in events]
        wanted = ["HostUp", *("HostDown", "HostUp") * 99][: flips[host.id] + 1]
        assert kinds == wanted, f"{host.id}: {kinds} after {flips[host.id]} changes"
