"""A whole watch in virtual time: inventory, patrol, herald and memory, on a network that the story breaks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

from services.poller.core.judge import State
from services.poller.core.landscape import Landscape
from services.poller.core.records import HostRecord, PollerRecord
from services.poller.core.roster import Roster
from services.poller.handlers.facts import Herald
from services.poller.handlers.upkeep import Upkeep
from services.poller.loop import Patrol
from services.poller.ports import Witness
from services.poller.watch import Watch
from shared.contracts.events import Event, HostDown, HostUp
from shared.contracts.ids import HostId, SiteId
from shared.contracts.inventory import Host, Maintenance, ProbePolicy, Site
from shared.contracts.vocabulary import HostState, ProbeKind
from tests.fakes.network import FakeResolver, SwiftNetwork
from tests.fakes.teller import FakeTeller
from tests.fakes.virtual_time import VirtualClock, run_virtually

E = TypeVar("E", bound=Event)
UP = State(HostState.UP, 1)


def host(name: str, *parents: str | tuple[str, ...], site: str = "waru", policy: str = "infra", **more: object) -> Host:
    """A host at the address that its name makes; each parent is a group of its own, a tuple is one group."""
    groups = tuple((HostId(p),) if isinstance(p, str) else tuple(map(HostId, p)) for p in parents)
    return Host(
        id=HostId(name),
        site_id=SiteId(site),
        name=name,
        address=address_of(name),
        policy=policy,
        parents=groups,
        **more,
    )


def address_of(name: str) -> str:
    """The same for the same name, and for no other within a story."""
    number = int.from_bytes(name.encode()[-8:].rjust(8, b"\0")) % 0xFFFFFF
    return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"


class Watchtower:
    """What one poller does, without bus and sockets. `told` is kept with the moment of telling."""

    def __init__(
        self,
        network: SwiftNetwork,
        *,
        sentinels: tuple[str, ...] = (),
        witnesses: Sequence[Witness] = (),
        known: PollerRecord | None = None,
    ) -> None:
        self.network = network
        self.roster = Roster()
        self.clock = VirtualClock()
        self.teller = TimedTeller()
        landscape: Landscape[Watch] = Landscape()
        self.upkeep = Upkeep(self.roster, self.teller, self.clock)
        self.herald = Herald(
            "poller-1",
            sentinels,
            roster=self.roster,
            landscape=landscape,
            upkeep=self.upkeep,
            teller=self.teller,
            clock=self.clock,
            known=known,
        )
        probes = dict.fromkeys(ProbeKind, network)
        self.patrol = Patrol(
            probes,
            FakeResolver(),
            self.clock,
            sentinels=sentinels,
            press=self.herald,
            landscape=landscape,
            witnesses=witnesses,
        )

    def watch(self, *hosts: Host, state: State = UP, **how: object) -> None:
        """Watch hosts; a host without a site of its own stands at Waru."""
        for each in hosts:
            if each.site_id not in self.roster.sites:
                site = Site(id=each.site_id, name=each.site_id.title())
                self.roster.put(site.key(), site.model_dump_json().encode())
            self.roster.put(each.key(), each.model_dump_json().encode())
            self.patrol.put(each, self.roster.policy_of(each), state, **how)  # type: ignore[arg-type]
        self.upkeep.changed()

    def announce(self, *works: Maintenance) -> None:
        """Works are in the inventory."""
        for work in works:
            self.roster.put(work.key(), work.model_dump_json().encode())
        self.upkeep.changed()

    def policy(self, policy: ProbePolicy) -> None:
        """A policy is in the inventory."""
        self.roster.put(policy.key(), policy.model_dump_json().encode())

    def cut(self, *names: str) -> None:
        """These hosts answer no more."""
        self.network.cut.update(address_of(name) for name in names)

    def restore(self, *names: str) -> None:
        """These hosts answer again."""
        self.network.cut.difference_update(address_of(name) for name in names)

    def events(self, kind: type[E], name: str | None = None) -> list[E]:
        """What was told of this kind, of one host or of all."""
        found = [event for event in self.teller.told if isinstance(event, kind)]
        return [event for event in found if name is None or getattr(event, "host_id", None) == name]

    def alarms(self) -> list[tuple[str, str]]:
        """Every DOWN and UP in the order of telling."""
        told = self.teller.told
        return [(e.NAME.removeprefix("host."), e.host_id) for e in told if isinstance(e, HostDown | HostUp)]

    def at(self, event: Event) -> float:
        """When this was told, in seconds of the story."""
        return self.teller.moments[self.teller.told.index(event)]

    def state(self, name: str) -> HostState:
        """How a host is shown."""
        return self.patrol.watches[HostId(name)].shown

    def records(self) -> dict[str, HostRecord]:
        """What would be remembered of hosts."""
        return {r.id: r for r in self.teller.memory.values() if isinstance(r, HostRecord)}


class TimedTeller(FakeTeller):
    def __init__(self) -> None:
        super().__init__()
        self.moments: list[float] = []

    def tell(self, key, event, record):
        super().tell(key, event, record)
        if event is not None:
            self.moments.append(asyncio.get_running_loop().time())


def watch_over(plot: Callable[[Watchtower], Awaitable[None]], **how: object) -> Watchtower:
    """Run a plot beside a walking patrol; answers the tower for looking at what was told."""

    async def run() -> Watchtower:
        tower = Watchtower(SwiftNetwork(), **how)  # type: ignore[arg-type]
        upkeep = tower.upkeep.run(tower.patrol.watches, tower.patrol.look_again)
        tasks = [asyncio.create_task(tower.patrol.run()), asyncio.create_task(upkeep)]
        try:
            await plot(tower)
        finally:
            await end(tasks)
        return tower

    return run_virtually(run())


async def end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Stop tasks; a crash in one is the story's."""
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, Exception):
            raise result
