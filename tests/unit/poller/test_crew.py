"""Whole pollers beside each other in virtual time: they come, go, die, are cut off, freeze; all is told once."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable

import pytest

from services.poller.far_site import new_name
from shared.contracts.events import HostDown, HostUp
from shared.contracts.ids import HostId, SiteId
from shared.contracts.inventory import ProbePolicy, Site
from shared.contracts.queries import ListWatched
from shared.contracts.vocabulary import HostState
from shared.security.sealing import generate_key
from tests.fakes.network import FakeNetwork
from tests.support.crew import Crew, everything_is_told_once, together

WARU, LERENG = Site(id=SiteId("waru"), name="Waru"), Site(id=SiteId("lereng"), name="Lereng")
QUICK = ProbePolicy(
    name="quick", interval_s=1.0, burst_size=3, burst_spacing_s=0.15, recovery_spacing_s=0.1, max_timeout_s=0.3
)
KEYS = generate_key()
Story = Callable[["Crew"], Awaitable[None]]
TAKEN_OVER_S = 5.0  # the promise


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
        await crew.bus.publish(
            HostDown.model_validate(down | {"transition": last.transition + 1, "previous": HostState.UP})
        )
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


@pytest.mark.parametrize("seed", range(6))
def test_every_change_is_told_exactly_once_whatever_happens_to_the_pollers(seed):
    """Hosts go down and up; pollers are killed, cut off, frozen, stopped and started. One always stays whole."""
    chance = random.Random(seed)  # noqa: S311 chances that can be repeated

    async def story(crew: Crew) -> None:
        flips: dict[HostId, int] = defaultdict(int)
        troubling = asyncio.create_task(trouble(crew, chance))
        for _ in range(6):
            for host in crew.hosts:
                if chance.random() < 0.7:
                    crew.flip(host)
                    flips[host.id] += 1
            await asyncio.sleep(chance.uniform(20, 24))  # longer than trouble upon trouble may keep eyes off it
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
