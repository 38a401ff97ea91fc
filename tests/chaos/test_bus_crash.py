"""The NATS server is killed again and again while services publish and consume: nothing that was stored is lost."""

from __future__ import annotations

import asyncio

from shared.bus.nats import NatsBus
from shared.bus.ports import ConsumerSpec
from shared.contracts.events import HostDown
from shared.contracts.streams import EVENTS
from shared.errors import Unreachable
from tests.cases.bus import Seen, down, running

CRASHES = 4
PUBLISHERS = 8


async def test_every_stored_message_is_handled_though_the_server_is_killed(nats_server):
    stored: set[tuple[str, int]] = set()
    handled: set[tuple[str, int]] = set()
    progress = Seen()
    spec = ConsumerSpec("worker", EVENTS, (HostDown.filter(),), ack_wait_s=2)
    over = asyncio.Event()

    async def handler(message: HostDown) -> None:
        await asyncio.sleep(0.001)
        handled.add((message.host_id, message.transition))
        progress.note(None)

    async def publish(host: str) -> None:
        number = 0
        while not over.is_set():
            number += 1
            try:
                await bus.publish(down(host, number))
            except Unreachable:
                continue
            stored.add((host, number))

    async with (
        NatsBus.connect(nats_server.url("poller"), name="poller", source="ronda/poller", wait_s=1) as bus,
        NatsBus.connect(nats_server.url("notifier"), name="notifier", source="ronda/notifier") as other,
        running(other.consume(spec, {HostDown: [handler]})),
        asyncio.TaskGroup() as publishers,
    ):
        for number in range(PUBLISHERS):
            publishers.create_task(publish(f"h{number}"))
        for _ in range(CRASHES):
            await progress.until(len(progress.messages) + 300)
            nats_server.kill()
            await asyncio.to_thread(nats_server.start)
        await progress.until(len(progress.messages) + 300)
        over.set()

        async with asyncio.timeout(60):
            while stored - handled:
                progress.changed.clear()
                await progress.changed.wait()
    assert len(stored) > 300
