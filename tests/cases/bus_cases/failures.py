"""What a handler raises decides what becomes of a message."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from shared.bus.ports import ConsumerSpec
from shared.contracts.envelope import Envelope
from shared.contracts.events import HostDown
from shared.contracts.streams import EVENTS
from shared.errors import (
    Invalid,
    Temporary,
)
from tests.cases.bus_cases.scenery import (
    SPEC,
    Seen,
    down,
    one_letter,
    running,
)


class FailureCases:
    async def test_temporary_failure_is_tried_again_no_sooner_than_asked(self, bus):
        loop, moments = asyncio.get_running_loop(), Seen()

        async def handler(message: HostDown) -> None:
            moments.note(loop.time())
            if len(moments.messages) == 1:
                raise Temporary("not now", retry_after=0.4)

        async with running(bus.consume(SPEC, {HostDown: [handler]})):
            await bus.publish(down())
            await moments.until(2)
        assert moments.messages[1] - moments.messages[0] >= 0.39

    async def test_temporary_failure_outlives_the_number_of_tries(self, bus):
        spec = ConsumerSpec("worker", EVENTS, (HostDown.filter(),), max_deliver=2)
        tries = Seen()

        async def handler(message: HostDown) -> None:
            tries.note(message)
            if len(tries.messages) < 5:
                raise Temporary("not now", retry_after=0.01)

        async with running(bus.consume(spec, {HostDown: [handler]})):
            await bus.publish(down())
            await tries.until(5)
        assert await bus.dead_letters.list() == []

    async def test_refused_message_becomes_a_dead_letter_with_its_reason(self, bus):
        tries = Seen()

        async def handler(message: HostDown) -> None:
            tries.note(message)
            raise Invalid("this host\nhas no name")

        published = await bus.publish(down())
        async with running(bus.consume(SPEC, {HostDown: [handler]})):
            letter = await one_letter(bus)
        assert len(tries.messages) == 1
        assert (letter.code, letter.reason) == ("invalid", "this host has no name")
        assert (letter.stream, letter.consumer, letter.subject) == ("EVENTS", "worker", down().subject)
        assert letter.original_sequence == published.sequence
        assert letter.message_type == "ronda.v1.evt.host.down"
        assert HostDown.model_validate_json(letter.body) == down()
        assert letter.headers["ce-id"] == "host:h1:1"

    async def test_bug_is_tried_again_and_then_dead(self, bus):
        spec = ConsumerSpec("worker", EVENTS, (HostDown.filter(),), max_deliver=2)
        tries = Seen()

        async def handler(message: HostDown) -> None:
            tries.note(message)
            raise KeyError("rtt")

        async with running(bus.consume(spec, {HostDown: [handler]})):
            await bus.publish(down())
            letter = await one_letter(bus)
        assert len(tries.messages) == 2
        assert (letter.code, letter.tries) == ("bug", 2)
        assert "KeyError" in letter.reason

    async def test_handler_that_awaits_something_cancelled_is_a_bug_not_the_end(self, bus):
        tries = Seen()

        async def handler(message: HostDown) -> None:
            tries.note(message)
            if len(tries.messages) == 1:
                raise asyncio.CancelledError

        async with running(bus.consume(SPEC, {HostDown: [handler]})) as consuming:
            await bus.publish(down())
            await tries.until(2)
            assert not consuming.done()

    @pytest.mark.parametrize(
        ("headers", "body"),
        [
            pytest.param({}, down().model_dump_json().encode(), id="no envelope"),
            pytest.param(None, b"{not json", id="no json"),
            pytest.param(None, b'{"host_id": "SECRET"}', id="fields missing"),
        ],
    )
    async def test_message_that_cannot_be_read_is_dead_at_once(self, bus, headers, body):
        envelope = Envelope.around(down(), source="x", now=datetime(2026, 11, 20, tzinfo=UTC))
        seen = Seen()
        await bus.publish_stored(down().subject, envelope.headers() if headers is None else headers, body)
        async with running(bus.consume(SPEC, {HostDown: [seen]})):
            letter = await one_letter(bus)
            assert (letter.code, letter.body, letter.tries) == ("invalid", body, 1)
            assert "SECRET" not in letter.reason
            await bus.publish(down(transition=2))
            await seen.until(1)

    async def test_waiting_for_others_does_not_use_up_the_tries_of_a_bug(self, bus):
        spec = ConsumerSpec("worker", EVENTS, (HostDown.filter(),), max_deliver=2)
        tries = Seen()

        async def handler(message: HostDown) -> None:
            tries.note(message)
            if len(tries.messages) < 3:
                raise Temporary("not now", retry_after=0.01)
            if len(tries.messages) == 3:
                raise KeyError("once")

        async with running(bus.consume(spec, {HostDown: [handler]})):
            await bus.publish(down())
            await tries.until(4)
        assert await bus.dead_letters.list() == []
