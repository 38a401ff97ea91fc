"""A host stops answering while 10,000 others do: how long until `evt.host.down` is on the bus?

The real poller on a real NATS server; every host is asked once a second. The hosts that are cut live in a network
namespace of the lab and lose their address, at moments without relation to the poller's rounds (a seeded draw), once
the poller knows their round trips (20 answers; until then it waits a whole second for each). The clock is the machine's
and stops when a subscriber has the event in hand.
"""

from __future__ import annotations

import asyncio
import random
import time

from bench import field
from bench.figures import Figure, amount, percentile, this_machine
from bench.stage import Stage
from lab.hosts import HostFarm
from shared.bus.nats import NatsBus
from shared.contracts.events import HostDown
from shared.contracts.ids import HostId, SiteId
from shared.contracts.inventory import Host
from shared.contracts.streams import EVENTS

OTHERS, CUTS = 10_000, 40
BAR_TYPICAL_S, BAR_WORST_S = 1.5, 2.5
_KNOWN_S = 22.0
_LONGEST_S = 15.0
_PAUSES_S = (0.3, 1.3)


async def measure(stage: Stage) -> list[Figure]:
    """Cut hosts one after the other, each once."""
    await stage.clear()
    farm = HostFarm([f"cut-{number}" for number in range(CUTS)], kind="icmp")
    await farm.start()
    try:
        watched = [
            Host(id=HostId(f"cut{name}"), site_id=SiteId(f"cut{name}"), name=name, address=host.address, policy="bench")
            for name, host in farm.hosts.items()
        ]
        async with field.poller(OTHERS, 1.0, watched) as poller:
            await asyncio.sleep(_KNOWN_S)
            took = await _cut_all(farm, poller)
    finally:
        await farm.stop()
    what = f"host cut, asked once a second, {OTHERS:,} others up → host.down on the bus"
    besides = f"worst {amount(max(took), 's')}"
    machine = this_machine()
    return [
        Figure("cut_to_fact", what, BAR_TYPICAL_S, percentile(took, 0.5), "s", len(took), machine, "p50", besides),
        Figure("cut_to_fact_slow", what, BAR_WORST_S, percentile(took, 0.99), "s", len(took), machine, "p99", besides),
    ]


async def _cut_all(farm: HostFarm, poller: field.Poller) -> list[float]:
    dice = random.Random(1)  # noqa: S311 - moments, repeatable
    heard: dict[str, asyncio.Future[float]] = {name: asyncio.get_running_loop().create_future() for name in farm.hosts}
    async with NatsBus.connect(poller.nats_url, name="bench", source="bench") as bus:

        async def listen() -> None:
            async for received in bus.read(EVENTS, after_sequence=0):
                message = received.message if received is not None else None
                if isinstance(message, HostDown) and message.host_name in heard:
                    heard[message.host_name].set_result(time.monotonic())

        listener = asyncio.create_task(listen())
        took = []
        try:
            for name, host in farm.hosts.items():
                await asyncio.sleep(dice.uniform(*_PAUSES_S))
                cut_at = time.monotonic()
                await host.cut()
                took.append(await asyncio.wait_for(heard[name], _LONGEST_S) - cut_at)
        finally:
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)
        return took
