"""Whole pollers beside each other in virtual time: they come, go, die, are cut off, freeze; all is told once."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from contextlib import suppress

import pytest

from services.poller.crew import new_name
from services.poller.main import build
from services.poller.settings import PollerSettings
from shared.bus.memory import MemoryBus, MemoryServer
from shared.contracts.events import Event, HostDown, HostTransition, HostUp, PollerReturned
from shared.contracts.ids import HostId, SiteId
from shared.contracts.inventory import Host, ProbePolicy, Site
from shared.contracts.queries import ListWatched, PingTarget
from shared.contracts.streams import EVENTS, INVENTORY_BUCKET
from shared.contracts.vocabulary import HostState, ProbeKind
from shared.lifecycle import running
from shared.security.sealing import generate_key
from tests.fakes.cut_off_bus import CutOffBus
from tests.fakes.network import FakeNetwork, FakeResolver
from tests.fakes.virtual_time import VirtualClock, run_virtually

WARU, LERENG = Site(id=SiteId("waru"), name="Waru"), Site(id=SiteId("lereng"), name="Lereng")
QUICK = ProbePolicy(
    name="quick", interval_s=1.0, burst_size=3, burst_spacing_s=0.15, recovery_spacing_s=0.1, max_timeout_s=0.3
)
KEYS = generate_key()
TAKEN_OVER_S = 5.0  # the promise


class Eyes:
    """The network as this poller sees it now."""

    def __init__(self, poller: Poller) -> None:
        self._poller = poller

    def ask(self, *question: object) -> None:
        self._poller.network.ask(*question)


class Poller:
    """One that runs beside others."""

    def __init__(self, crew: Crew, number: int, sites: str) -> None:
        self.bus = CutOffBus(crew.server, source=f"poller-{number}")
        self.settings = PollerSettings(seal_keys=KEYS, instance=f"p{number}", poller_sites=sites)
        self.network = crew.network
        self._crew = crew
        self._task = asyncio.create_task(self._live())
        self.service = None

    async def _live(self) -> None:
        crew = self._crew
        probes: dict[ProbeKind, Eyes] = dict.fromkeys(ProbeKind, Eyes(self))
        with suppress(asyncio.CancelledError):
            async with (
                build(self.settings, clock=crew.clock, bus=self.bus, probes=probes, resolver=FakeResolver()) as service,
                running(service),
            ):
                self.service = service
                await asyncio.Event().wait()

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

    async def put(self, *entries: Site | Host | ProbePolicy) -> None:
        inventory = await self.bus.bucket(INVENTORY_BUCKET)
        for entry in entries:
            await inventory.put(entry.key(), entry.model_dump_json().encode())

    def start(self, sites: str = "") -> Poller:
        self.started += 1
        self.pollers.append(Poller(self, self.started, sites))
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


def together(story, *, hosts: int = 8, pollers: int = 2) -> None:
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
        assert [event.transition for event in events] == list(range(1, len(events) + 1))
        assert [type(event) for event in events] == [HostUp, *(HostDown, HostUp) * 99][: flips[host.id] + 1]


def test_two_share_the_hosts_and_each_is_told_once():
    async def story(crew: Crew) -> None:
        shares = [poller.metric("ronda_poller_parts_held") for poller in crew.pollers]
        assert sum(shares) == 64
        assert min(shares) > 16
        assert sum(poller.metric("ronda_poller_hosts_watched") for poller in crew.pollers) == 8
        await everything_is_told_once(crew, defaultdict(int))

    together(story)


def test_only_one_takes_everything_at_once():
    async def story(crew: Crew) -> None:
        assert {len(events) for events in (await crew.told()).values()} == {1}
        first = min(event.at for events in (await crew.told()).values() for event in events)
        assert (first - crew.clock.now()).total_seconds() < -2  # 4 s ago it was started

    together(story, pollers=1)


@pytest.mark.parametrize("how", ["die", "refuse", "hang"])
def test_hosts_of_one_that_is_gone_are_watched_by_the_other_in_time(how):
    async def story(crew: Crew) -> None:
        gone, _ = crew.pollers
        if how == "die":
            await gone.die()
        else:
            getattr(gone.bus.way, how)()
        for host in crew.hosts:
            crew.flip(host)
        await asyncio.sleep(TAKEN_OVER_S + 2.5)  # and the time to confirm
        assert {host: events[-1].previous for host, events in (await crew.told()).items()} == dict.fromkeys(
            (host.id for host in crew.hosts), HostState.UP
        )
        gone.bus.way.restore()
        await asyncio.sleep(10)
        await everything_is_told_once(crew, defaultdict(lambda: 1))

    together(story)


def test_one_that_leaves_politely_leaves_no_gap():
    async def story(crew: Crew) -> None:
        leaver, heir = crew.pollers
        await leaver.stop()
        await asyncio.sleep(0.5)
        assert heir.metric("ronda_poller_hosts_watched") == 8
        assert heir.metric("ronda_poller_parts_held") == 64

    together(story)


def test_whoever_was_frozen_says_nothing_of_what_another_has_taken():
    """Frozen while it told that a host is down; the host was back before anybody else could see it down."""

    async def story(crew: Crew) -> None:
        host = crew.hosts[0]
        for poller in crew.pollers:
            poller.bus.way.hang()
        crew.flip(host)
        await asyncio.sleep(2.4)
        crew.flip(host)
        for poller in crew.pollers:
            poller.bus.way.restore()
        await asyncio.sleep(12)
        kinds = [type(event) for event in (await crew.told())[host.id]]
        assert kinds in ([HostUp], [HostUp, HostDown, HostUp])

    together(story)


def test_whoever_was_split_off_keeps_to_himself_what_he_saw():
    """Cut off from the bus and from the hosts at once: to him everything is dead, and nobody shall hear of it."""

    async def story(crew: Crew) -> None:
        split, _ = crew.pollers
        split.bus.way.refuse()
        split.network = FakeNetwork()
        split.network.cut = {host.address for host in crew.hosts}
        await asyncio.sleep(12)
        assert split.metric("ronda_poller_facts_waiting") > 0
        split.network = crew.network
        split.bus.way.restore()
        await asyncio.sleep(10)
        await everything_is_told_once(crew, defaultdict(int))
        assert split.metric("ronda_poller_facts_dropped_total") > 0
        assert split.metric("ronda_poller_hosts_watched") > 0  # back in the crew

    together(story)


def test_bus_that_was_away_for_all_costs_no_change():
    """Who is back first does not take what the others, about to be back, have seen and not told."""

    async def story(crew: Crew) -> None:
        for poller in crew.pollers:
            poller.bus.way.refuse()
        for _ in range(2):
            await asyncio.sleep(6)
            for host in crew.hosts:
                crew.flip(host)
        await asyncio.sleep(6)
        for poller in crew.pollers:
            poller.bus.way.restore()
            await asyncio.sleep(0.9)
        await asyncio.sleep(10)
        await everything_is_told_once(crew, defaultdict(lambda: 2))

    together(story, pollers=3)


def test_late_word_of_a_frozen_poller_is_corrected_by_the_holder():
    async def story(crew: Crew) -> None:
        host = crew.hosts[0]
        [last] = (await crew.told())[host.id]
        down = HostDown.example().model_dump() | last.model_dump(exclude={"rtt_ms", "down_since", "outage_s"})
        await crew.bus.publish(HostDown.model_validate(down | {"transition": 2, "previous": HostState.UP}))
        await asyncio.sleep(5)
        assert [type(event) for event in (await crew.told())[host.id]] == [HostUp, HostDown, HostUp]

    together(story)


def test_what_is_watched_is_answered_for_all_by_any():
    async def story(crew: Crew) -> None:
        for _ in range(4):
            report = await crew.bus.request(ListWatched())
            assert {host.host_id for host in report.hosts} == {host.id for host in crew.hosts}
            assert report.silent_pollers == ()

    together(story, pollers=3)


class TestPinned:
    def test_site_is_watched_from_its_own_poller_alone(self):
        async def story(crew: Crew) -> None:
            far = crew.host(50, LERENG)
            await crew.put(far)
            pinned = crew.start(sites="Lereng")
            await asyncio.sleep(6)
            assert pinned.metric("ronda_poller_hosts_watched") == 1
            await pinned.die()
            await asyncio.sleep(10)
            assert sum(poller.metric("ronda_poller_hosts_watched") for poller in crew.pollers[:2]) == 8
            assert [type(event) for event in (await crew.told())[far.id]] == [HostUp]

        together(story)

    def test_ping_of_its_hosts_goes_from_there(self):
        async def story(crew: Crew) -> None:
            far = crew.host(50, LERENG)
            await crew.put(far)
            crew.start(sites="lereng")
            await asyncio.sleep(6)
            for _ in range(3):
                report = await crew.bus.request(PingTarget(target=far.address, host_id=far.id, count=1))
                assert report.received == 1

        together(story)

    def test_long_absence_is_told_late_with_true_times_and_one_word_at_the_end(self):
        async def story(crew: Crew) -> None:
            far = crew.host(50, LERENG)
            await crew.put(far)
            pinned = crew.start(sites="lereng")
            await asyncio.sleep(6)
            cut_at = crew.clock.now()
            pinned.bus.way.refuse()
            for _ in range(21):  # more than eight: all must survive
                await asyncio.sleep(10)
                crew.flip(far)
            await asyncio.sleep(10)
            pinned.bus.way.restore()
            await asyncio.sleep(5)
            first, *late = (await crew.told())[far.id]
            assert (first.backfilled, len(late), {event.backfilled for event in late}) == (False, 21, {True})
            for number, event in enumerate(late):
                assert 0 < (event.at - cut_at).total_seconds() - 10 * (number + 1) < 3
            [returned] = [event for event in await crew.events() if isinstance(event, PollerReturned)]
            assert (returned.facts, returned.hosts_down, returned.site_ids) == (21, (far.id,), (LERENG.id,))
            assert abs((returned.away_since - cut_at).total_seconds()) < 4
            assert (await crew.events())[-1] == returned

        together(story)


async def trouble(crew: Crew, chance: random.Random) -> None:
    """Something happens to a poller every few seconds, for ever. The first one is left in peace."""
    while True:
        await asyncio.sleep(chance.uniform(0.5, 6))
        poller = chance.choice(crew.pollers[1:])
        what = chance.choice(["die", "stop", "refuse", "hang", "hang", "start"])
        if what == "start" and len(crew.pollers) < 5:
            crew.start()
        elif what in ("die", "stop"):
            crew.pollers.remove(poller)
            await getattr(poller, what)()
            await asyncio.sleep(chance.uniform(0, 2))
            crew.start()
        elif what in ("refuse", "hang"):
            getattr(poller.bus.way, what)()
            await asyncio.sleep(chance.uniform(0.5, 9))
            poller.bus.way.restore()


@pytest.mark.parametrize("seed", range(12))
def test_every_change_is_told_exactly_once_whatever_happens_to_the_pollers(seed):
    """Hosts go down and up; pollers are killed, cut off, frozen, stopped and started. One always stays whole."""
    chance = random.Random(seed)  # noqa: S311 chances that can be repeated

    async def story(crew: Crew) -> None:
        flips: dict[HostId, int] = defaultdict(int)
        troubling = asyncio.create_task(trouble(crew, chance))
        for _ in range(10):
            for host in crew.hosts:
                if chance.random() < 0.7:
                    crew.flip(host)
                    flips[host.id] += 1
            await asyncio.sleep(chance.uniform(12, 15))
        troubling.cancel()
        await asyncio.gather(troubling, return_exceptions=True)
        for poller in crew.pollers:
            poller.bus.way.restore()
        await asyncio.sleep(10)
        await everything_is_told_once(crew, flips)
        assert sum(poller.metric("ronda_poller_hosts_watched") for poller in crew.pollers) == len(crew.hosts)

    together(story, pollers=3)


def test_two_lives_of_a_poller_have_two_names():
    assert new_name("poller") != new_name("poller")
