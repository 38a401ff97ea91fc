"""One subject in order, different ones at once, several processes together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from shared.bus.ports import ConsumerSpec
from shared.contracts.events import HostDown
from shared.contracts.notify import DeliveryDue
from shared.contracts.streams import EVENTS, NOTIFY
from shared.errors import (
    Temporary,
)
from tests.cases.bus_cases.scenery import (
    SPEC,
    Seen,
    delivery,
    down,
    running,
)


class OrderCases:
    async def test_one_subject_in_order_and_never_two_at_once(self, bus):
        at_work, seen = 0, Seen()

        async def handler(message: HostDown) -> None:
            nonlocal at_work
            at_work += 1
            assert at_work == 1
            await asyncio.sleep(0.02 if message.transition == 1 else 0)
            at_work -= 1
            seen.note(message.transition)

        for number in range(1, 21):
            await bus.publish(down(transition=number))
        async with running(bus.consume(SPEC, {HostDown: [handler]})):
            await seen.until(20)
        assert seen.messages == list(range(1, 21))
        assert await bus.dead_letters.list() == []

    async def test_different_subjects_at_once(self, bus):
        both = asyncio.Barrier(2)
        seen = Seen()

        async def handler(message: HostDown) -> None:
            await both.wait()
            seen.note(message)

        async with running(bus.consume(SPEC, {HostDown: [handler]})):
            await bus.publish(down("h1"))
            await bus.publish(down("h2"))
            await seen.until(2)

    async def test_one_subject_at_once_if_order_does_not_matter(self, bus):
        spec = ConsumerSpec("worker", EVENTS, (HostDown.filter(),), ordered_by_subject=False)
        both, seen = asyncio.Barrier(2), Seen()

        async def handler(message: HostDown) -> None:
            await both.wait()
            seen.note(message)

        async with running(bus.consume(spec, {HostDown: [handler]})):
            await bus.publish(down(transition=1))
            await bus.publish(down(transition=2))
            await seen.until(2)

    async def test_order_survives_a_failure(self, bus):
        spec = ConsumerSpec("sender", NOTIFY, (DeliveryDue.filter(),), max_in_flight=4)
        failed, seen = False, Seen()

        async def handler(message: DeliveryDue) -> None:
            nonlocal failed
            if message.chat_id == "c1" and not failed:
                failed = True
                raise Temporary("flood", retry_after=0.3)
            seen.note((message.chat_id, message.delivery_id))

        for number in range(10):
            await bus.publish(delivery(number, chat="c1"))
        await bus.publish(delivery(99, chat="c2"))
        async with running(bus.consume(spec, {DeliveryDue: [handler]})):
            await seen.until(11)
        assert seen.messages[0] == ("c2", "d99")  # it did not wait for the other chat
        assert seen.messages[1:] == [("c1", f"d{number}") for number in range(10)]

    async def test_no_more_in_hand_than_allowed(self, bus):
        spec = ConsumerSpec("worker", EVENTS, (HostDown.filter(),), max_in_flight=3)
        at_work, most, seen = 0, 0, Seen()

        async def handler(message: HostDown) -> None:
            nonlocal at_work, most
            at_work += 1
            most = max(most, at_work)
            await asyncio.sleep(0.01)
            at_work -= 1
            seen.note(message)

        for number in range(20):
            await bus.publish(down(f"h{number}"))
        async with running(bus.consume(spec, {HostDown: [handler]})):
            await seen.until(20)
        assert most == 3

    async def test_two_processes_share_the_work(self, bus, other_bus):
        here, there = Seen(), Seen()
        both = asyncio.Barrier(2)

        def meeting(seen: Seen) -> Callable[[HostDown], Awaitable[None]]:
            async def handler(message: HostDown) -> None:
                await both.wait()
                seen.note(message)

            return handler

        spec = ConsumerSpec("worker", EVENTS, (HostDown.filter(),), max_in_flight=1)
        async with (
            running(bus.consume(spec, {HostDown: [meeting(here)]})),
            running(other_bus.consume(spec, {HostDown: [meeting(there)]})),
        ):
            for number in range(4):
                await bus.publish(down(f"h{number}"))
            await here.until(2)
            await there.until(2)
        assert {one.host_id for one in here.messages + there.messages} == {"h0", "h1", "h2", "h3"}

    async def test_stopped_consumer_gives_back_at_once(self, bus, other_bus):
        begun, seen = Seen(), Seen()

        async def forever(message: HostDown) -> None:
            begun.note(message)
            await asyncio.Event().wait()

        for number in range(5):
            await bus.publish(down(transition=number + 1))
        async with running(bus.consume(SPEC, {HostDown: [forever]})) as consuming:
            await begun.until(1)
            consuming.cancel()
            with pytest.raises(asyncio.CancelledError):
                await consuming
            async with asyncio.timeout(5), running(other_bus.consume(SPEC, {HostDown: [seen]})):
                await seen.until(5)  # the acknowledgement time is 30 s: it was not waited for
        assert sorted(one.transition for one in seen.messages) == [1, 2, 3, 4, 5]

    async def test_long_work_is_not_handed_to_another(self, bus, other_bus):
        spec = ConsumerSpec("worker", EVENTS, (HostDown.filter(),), ack_wait_s=0.6)
        begun, done = Seen(), Seen()

        async def handler(message: HostDown) -> None:
            begun.note(message)
            await asyncio.sleep(1.5)
            done.note(message)

        async with (
            running(bus.consume(spec, {HostDown: [handler]})),
            running(other_bus.consume(spec, {HostDown: [handler]})),
        ):
            await bus.publish(down())
            await done.until(1)
        assert len(begun.messages) == 1
