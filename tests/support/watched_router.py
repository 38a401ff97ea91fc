"""A router in memory under the real watcher, in virtual time: what it is told to do, and what is told of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import SecretStr

from services.poller.core.clock_jury import ClockJury
from services.poller.core.reach import Reach
from services.poller.handlers.doors import RouterDoors
from services.poller.handlers.followers.post import Pace, WatchCounts
from services.poller.handlers.routers import RouterWatcher
from shared.contracts.events import Event
from shared.contracts.ids import RouterId, SiteId
from shared.contracts.inventory import Router
from shared.contracts.samples import RouterReadings
from shared.errors import Unreachable
from shared.routeros import RouterAddress
from tests.fakes.router_session import FakeRouter
from tests.fakes.teller import FakeTeller
from tests.fakes.virtual_time import VirtualClock, run_virtually

ROUTER = Router(
    id=RouterId("01r0ut"),
    site_id=SiteId("waru"),
    name="waru-gw",
    host="203.0.113.7",
    username="ronda",
    sealed_password="sealed",
)
E = TypeVar("E", bound=Event)


@dataclass
class Post:
    """A router, the watcher on it, and what outlives the watcher."""

    router: FakeRouter
    teller: FakeTeller = field(default_factory=FakeTeller)
    entries: dict[str, bytes] = field(default_factory=dict)
    readings: list[RouterReadings] = field(default_factory=list)
    doors: RouterDoors = field(default_factory=RouterDoors)
    counts: WatchCounts = field(default_factory=WatchCounts)
    pace: Pace = field(default_factory=Pace)
    entry: Router = ROUTER
    reachable: bool = True
    watcher: RouterWatcher | None = None

    def told(self, kind: type[E]) -> list[E]:
        return [event for event in self.teller.told if isinstance(event, kind)]

    def asked(self, command: str) -> int:
        return sum(word == command for word, _ in self.router.calls)

    def last(self, metric: str, part: str = "") -> float | None:
        """The value published last."""
        found = [
            reading.value
            for sample in self.readings
            for reading in sample.readings
            if (reading.metric, reading.part) == (metric, part)
        ]
        return found[-1] if found else None

    async def say(self, readings: RouterReadings) -> None:
        self.readings.append(readings)

    async def connect(self, _address: RouterAddress) -> object:
        if not self.reachable:
            raise Unreachable("203.0.113.7:8728: connection refused")
        return self.router.session()

    def address_of(self, router: Router) -> RouterAddress:
        return RouterAddress(host=router.host, username=router.username, password=SecretStr("x"))

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        self.watcher = RouterWatcher(
            self.entry,
            Reach(),
            {},
            self.entries,
            address_of=self.address_of,
            connect=self.connect,
            teller=self.teller,
            clock=VirtualClock(),
            doors=self.doors,
            say=self.say,
            pace=self.pace,
            counts=self.counts,
            jury=ClockJury(),
        )
        task = asyncio.create_task(self.watcher.run())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def cut(self) -> None:
        self.reachable = False
        self.router.vanish()

    def mend(self) -> None:
        self.reachable = True
        self.router.come_back()

    def change(self, path: str, item: str, **values: str) -> None:
        """The world changes a row; listens hear it."""
        row = self.router.menus[path].rows[item]
        self.router.put(path, {**row, **{name.replace("_", "-"): value for name, value in values.items()}})

    def resource(self, **values: str) -> None:
        """What `/system/resource` says from now on."""
        row = self.router.menus["/system/resource"].rows[""]
        row |= {name.replace("_", "-"): value for name, value in values.items()}


def watching(plot: Callable[[Post], Awaitable[None]], *, pace: Pace | None = None, **router: str) -> Post:
    """Run a plot in virtual time."""
    post = Post(FakeRouter(**router), pace=pace or Pace())
    run_virtually(plot(post))
    return post
