"""A poller at a far site: its site is its own; what it saw while it was cut off is told late, once, and in order."""

from __future__ import annotations

import asyncio
import json

import pytest

from services.poller.adapters.spool import SpoolFiles
from shared.contracts.events import HostDown, HostTransition, HostUp, PollerReturned
from shared.contracts.queries import PingTarget
from shared.errors import Misconfigured
from tests.support.crew import LERENG, Crew, together


class TestPinned:
    def test_site_is_watched_from_its_own_poller_alone(self):
        async def story(crew: Crew) -> None:
            far = crew.host(50, LERENG)
            await crew.put(far)
            pinned = crew.start(poller_sites="Lereng")
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
            crew.start(poller_sites="lereng")
            await asyncio.sleep(6)
            for _ in range(3):
                report = await crew.bus.request(PingTarget(target=far.address, host_id=far.id, count=1))
                assert report.received == 1

        together(story)

    def test_long_absence_is_told_late_with_true_times_and_one_word_at_the_end(self):
        async def story(crew: Crew) -> None:
            far = crew.host(50, LERENG)
            await crew.put(far)
            pinned = crew.start(poller_sites="lereng")
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
            backfilled = sum(event.backfilled for event in await crew.events())  # that it flapped is one, too
            assert (returned.facts, returned.hosts_down, returned.site_ids) == (backfilled, (far.id,), (LERENG.id,))
            assert abs((returned.away_since - cut_at).total_seconds()) < 4
            assert (await crew.events())[-1] == returned

        together(story)


async def far_site(crew: Crew, spool, hosts: int = 2):
    far = [crew.host(50 + number, LERENG) for number in range(hosts)]
    await crew.put(*far)
    pinned = crew.start(poller_sites="lereng", poller_spool=spool, instance="far")
    await asyncio.sleep(7)
    return pinned, far


class TestSpool:
    def test_killed_and_started_again_while_cut_off_it_goes_on_and_tells_all_afterwards(self, tmp_path):
        async def story(crew: Crew) -> None:
            pinned, (one, two) = await far_site(crew, tmp_path)
            pinned.bus.way.refuse()
            await asyncio.sleep(10)
            for host in (one, two, one):
                crew.flip(host)
                await asyncio.sleep(10)
            await pinned.stop()
            crew.pollers.remove(pinned)
            again = crew.start(poller_sites="lereng", poller_spool=tmp_path, instance="far", cut_off=True)
            await asyncio.sleep(20)
            assert again.metric("ronda_poller_hosts_watched") == 2, "watching while it is cut off"
            crew.flip(one)
            await asyncio.sleep(60)
            again.bus.way.restore()
            await asyncio.sleep(10)
            told = await crew.told()
            assert [(type(event), event.backfilled) for event in told[one.id]] == [
                (HostUp, False),
                (HostDown, True),
                (HostUp, True),
                (HostDown, True),
            ]
            assert [(type(event), event.backfilled) for event in told[two.id]] == [(HostUp, False), (HostDown, True)]
            assert [event.transition - told[one.id][0].transition for event in told[one.id]] == [0, 1, 2, 3]
            [returned] = [event for event in await crew.events() if isinstance(event, PollerReturned)]
            assert (returned.facts, returned.hosts_down) == (4, (one.id, two.id))
            assert 100 < (returned.at - returned.away_since).total_seconds() < 140

        together(story, hosts=2, pollers=1)

    def test_started_again_with_the_bus_there_nothing_is_told_twice(self, tmp_path):
        async def story(crew: Crew) -> None:
            pinned, (one, _) = await far_site(crew, tmp_path)
            pinned.bus.way.refuse()
            crew.flip(one)
            await asyncio.sleep(5)
            await pinned.stop()
            crew.pollers.remove(pinned)
            # As if it had been killed between telling and noting that: the stream knows the fact, the spool does not.
            with SpoolFiles.opened(tmp_path, "unused") as spool:
                [waiting] = spool.before.waiting
            await crew.bus.publish(waiting.event)
            await asyncio.sleep(700)  # longer than the stream remembers ids
            crew.start(poller_sites="lereng", poller_spool=tmp_path, instance="far")
            await asyncio.sleep(10)
            crew.flip(one)
            await asyncio.sleep(5)
            assert [type(event) for event in (await crew.told())[one.id]] == [HostUp, HostDown, HostUp]

        together(story, hosts=2, pollers=1)

    def test_spool_of_another_poller_is_refused(self, tmp_path):
        with (
            SpoolFiles.opened(tmp_path, "a"),
            pytest.raises(Misconfigured, match="another poller"),
            SpoolFiles.opened(tmp_path, "b"),
        ):
            pass

    def test_line_that_was_cut_short_costs_no_other(self, tmp_path):
        async def story(crew: Crew) -> None:
            pinned, (one, _) = await far_site(crew, tmp_path)
            pinned.bus.way.refuse()
            crew.flip(one)
            await asyncio.sleep(5)
            await pinned.stop()
            crew.pollers.remove(pinned)

        together(story, hosts=1, pollers=1)
        journal = tmp_path / "journal.jsonl"
        lines = journal.read_text().splitlines()
        journal.write_text("\n".join([*lines, json.dumps({"key": "host.x"})[:5]]))
        with SpoolFiles.opened(tmp_path, "unused") as spool:
            assert spool.name.startswith("far.")
            [told] = spool.before.waiting
            assert isinstance(told.event, HostTransition)
            assert set(spool.before.inventory) >= {"site.lereng", "host.h50"}
