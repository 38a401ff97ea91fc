"""A far site on real servers: hub, leaf and poller; the uplink is cut, and the poller is killed while it is."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from pathlib import Path

from bench.pollers import SITE, Line, watch
from shared.clock import SystemClock
from shared.contracts.events import HostDown, HostTransition, HostUp, PollerReturned
from shared.contracts.streams import EVENTS
from tests.support.leaf_server import free_port, leaf_server
from tests.support.waiting import until

CLOCK = SystemClock()


async def test_far_site_is_watched_while_its_uplink_is_cut_and_all_is_told_afterwards_once(tmp_path: Path):
    spool = tmp_path / "spool"
    settings = {
        "RONDA_POLLER_SITES": SITE.name,
        "RONDA_POLLER_SPOOL": str(spool),
        "RONDA_POLLER_LATE_AFTER_S": "1",
    }
    leaf_port = free_port()
    async with watch(tmp_path / "hub", 3, logs=tmp_path, leaf_port=leaf_port) as place:
        uplink = Line(leaf_port)
        await uplink.open()
        hub = place.server.url("leaf").replace(f":{place.server.port}", f":{uplink.port}")
        told: dict[str, list[HostTransition]] = defaultdict(list)
        returned: list[PollerReturned] = []

        async def listen() -> None:
            async for received in place.bus.read(EVENTS, after_sequence=0):
                match received and received.message:
                    case HostTransition() as event:
                        told[event.host_id].append(event)
                    case PollerReturned() as event:
                        returned.append(event)

        listening = asyncio.create_task(listen())
        async with leaf_server(tmp_path / "leaf", hub) as url:
            far = await place.start("far", RONDA_NATS_URL=url, **settings)
            await until(lambda: len(told) == 3)
            await place.until_all_watched_by(far)
            first, second, _ = [place.farm.host(name) for name in place.farm.names]

            uplink.cut()
            cut_at = CLOCK.now()
            # What is on the line at this moment arrives when the line is mended, as it was written.
            await until(lambda: '{"away":"2' in (spool / "journal.jsonl").read_text())
            await first.cut()
            await until(lambda: journal_holds(spool, "host-0", "host.down"))
            await first.restore()
            await until(lambda: journal_holds(spool, "host-0", '"previous":"down"'))
            first_back_at = CLOCK.now()
            await far.kill()
            await second.cut()
            await far.start()
            await until(lambda: journal_holds(spool, "host-1", "host.down"), within_s=60)
            second_down_at = CLOCK.now()
            assert {len(events) for events in told.values()} == {1}, "nothing passes the cut"

            uplink.mend()
            await until(lambda: returned, within_s=40)
            await place.until_all_watched_by(far)
            await far.kill()
        await uplink.close()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    kinds = {host: [type(event) for event in events] for host, events in told.items()}
    assert kinds == {"host-0": [HostUp, HostDown, HostUp], "host-1": [HostUp, HostDown], "host-2": [HostUp]}
    late = [event for events in told.values() for event in events[1:]]
    assert all(event.backfilled for event in late)
    assert cut_at < told["host-0"][1].at < told["host-0"][2].at < first_back_at
    assert first_back_at < told["host-1"][1].at < second_down_at
    [summary] = returned
    assert (summary.facts, summary.hosts_down, summary.site_ids) == (3, ("host-1",), (SITE.id,))
    assert summary.instance == "far"


def journal_holds(spool: Path, host: str, kind: str) -> bool:
    return any(f'"host.{host}"' in line and kind in line for line in (spool / "journal.jsonl").read_text().splitlines())
