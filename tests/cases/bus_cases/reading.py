"""A stream is read without consuming it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from shared.contracts.events import HostUp, InventoryChanged
from shared.contracts.streams import EVENTS
from tests.cases.bus_cases.scenery import (
    down,
)


class ReadCases:
    async def test_after_a_sequence_then_none_then_what_comes(self, bus):
        receipts = [await bus.publish(down(transition=number)) for number in (1, 2, 3)]
        reading = bus.read(EVENTS, after_sequence=receipts[0].sequence)
        assert (await anext(reading)).message.transition == 2
        third = await anext(reading)
        assert (third.message.transition, third.subject, third.sequence) == (3, down().subject, receipts[2].sequence)
        assert abs(third.stored_at - datetime.now(UTC)) < timedelta(minutes=5)  # noqa: TID251
        assert await anext(reading) is None
        await bus.publish(down(transition=4))
        assert (await anext(reading)).message.transition == 4
        await reading.aclose()

    async def test_last_of_each_subject(self, bus):
        for host, number in (("h1", 1), ("h2", 1), ("h1", 2)):
            await bus.publish(down(host, number))
        said = [one async for one in bus.read(EVENTS, last_per_subject=True, follow=False)]
        assert [one and (one.message.host_id, one.message.transition) for one in said] == [("h2", 1), ("h1", 2), None]

    async def test_from_now_on(self, bus):
        await bus.publish(down(transition=1))
        reading = bus.read(EVENTS)
        assert await anext(reading) is None
        await bus.publish(down(transition=2))
        assert (await anext(reading)).message.transition == 2
        await reading.aclose()

    async def test_filters(self, bus):
        await bus.publish(down())
        await bus.publish(HostUp.example())
        await bus.publish(InventoryChanged.example())
        said = [
            one
            async for one in bus.read(
                EVENTS, HostUp.filter(), InventoryChanged.filter(), after_sequence=0, follow=False
            )
        ]
        assert [type(one.message) if one else None for one in said] == [HostUp, InventoryChanged, None]

    async def test_empty_stream_says_none_at_once(self, bus):
        assert [one async for one in bus.read(EVENTS, last_per_subject=True, follow=False)] == [None]

    async def test_unreadable_is_left_out(self, bus):
        await bus.publish_stored(down().subject, {}, b"?")
        await bus.publish(down(transition=2))
        said = [one async for one in bus.read(EVENTS, after_sequence=0, follow=False)]
        assert [one and one.message.transition for one in said] == [2, None]

    async def test_many_in_order(self, bus):
        await asyncio.gather(*(bus.publish(down(f"h{number}")) for number in range(700)))
        said = [one async for one in bus.read(EVENTS, after_sequence=0, follow=False)]
        assert [one and one.sequence for one in said] == [*range(1, 701), None]
