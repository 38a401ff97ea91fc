"""Messages of a stream reach their handlers."""

from __future__ import annotations

from datetime import UTC, datetime

from shared.bus.context import current_envelope
from shared.bus.ports import ConsumerSpec
from shared.contracts.desired import DesiredAccount
from shared.contracts.envelope import Envelope
from shared.contracts.events import HostDown, HostUp, InventoryChanged
from shared.contracts.notify import DeliveryDue
from shared.contracts.streams import DESIRED, EVENTS, NOTIFY
from shared.errors import (
    Temporary,
)
from tests.cases.bus_cases.scenery import (
    SPEC,
    Seen,
    delivery,
    down,
    running,
    until,
)


class ConsumeCases:
    async def test_message_is_handled_once_and_stays_done(self, bus):
        seen = Seen()
        async with running(bus.consume(SPEC, {HostDown: [seen]})):
            await bus.publish(down(transition=1))
            await seen.until(1)
        async with running(bus.consume(SPEC, {HostDown: [seen]})):
            await bus.publish(down(transition=2))
            await seen.until(2)
        assert [one.transition for one in seen.messages] == [1, 2]

    async def test_published_before_the_consumer_was_made_is_handled_too(self, bus):
        await bus.publish(down())
        seen = Seen()
        async with running(bus.consume(SPEC, {HostDown: [seen]})):
            await seen.until(1)

    async def test_all_handlers_of_a_type_run(self, bus):
        first, second = Seen(), Seen()
        async with running(bus.consume(SPEC, {HostDown: [first, second]})):
            await bus.publish(down())
            await second.until(1)
        assert first.messages == second.messages == [down()]

    async def test_what_a_handler_publishes_continues_the_story(self, bus):
        async def handler(message: HostDown) -> None:
            await bus.publish(InventoryChanged.example())

        cause = Envelope.around(down(), source="x", now=datetime(2026, 11, 20, tzinfo=UTC))
        async with running(bus.consume(SPEC, {HostDown: [handler]})):
            await bus.publish(down(transition=9), cause=cause)
            reading = bus.read(EVENTS, InventoryChanged.filter(), after_sequence=0)
            told = await anext(reading) or await anext(reading)
            await reading.aclose()
        assert told.envelope.correlation_id == cause.correlation_id
        assert told.envelope.causation_id == "host:h1:9"
        assert current_envelope() is None

    async def test_type_without_a_handler_is_skipped(self, bus):
        seen = Seen()
        await bus.publish(HostUp.example())
        await bus.publish(down(transition=7))
        async with running(bus.consume(SPEC, {HostDown: [seen]})):
            await seen.until(1)
        assert await bus.dead_letters.list() == []
        async with running(bus.consume(SPEC, {HostDown: [seen], HostUp: [seen]})):
            await bus.publish(down(transition=8))
            await seen.until(2)
        assert [one.transition for one in seen.messages] == [7, 8]  # the skipped one is done with

    async def test_newer_desired_state_replaces_the_one_that_waits(self, bus):
        spec = ConsumerSpec("provisioner", DESIRED, (DesiredAccount.filter(),))
        seen = Seen()

        async def handler(message: DesiredAccount) -> None:
            seen.note(message.generation)
            if message.generation == 1:
                raise Temporary("router away", retry_after=60)

        async with running(bus.consume(spec, {DesiredAccount: [handler]})):
            await bus.publish(DesiredAccount.model_validate({**DesiredAccount.EXAMPLE, "generation": 1}))
            await seen.until(1)
            await bus.publish(DesiredAccount.model_validate({**DesiredAccount.EXAMPLE, "generation": 2}))
            await seen.until(2)
        assert seen.messages == [1, 2]

    async def test_work_queue_forgets_what_is_done(self, bus):
        spec = ConsumerSpec("sender", NOTIFY, (DeliveryDue.filter(),))
        seen = Seen()
        async with running(bus.consume(spec, {DeliveryDue: [seen]})):
            await bus.publish(delivery(1))
            await seen.until(1)

            async def empty() -> bool:
                return [one async for one in bus.read(NOTIFY, after_sequence=0, follow=False)] == [None]

            await until(empty)
