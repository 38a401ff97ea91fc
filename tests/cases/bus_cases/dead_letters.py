"""What could not be handled is kept with its reason."""

from __future__ import annotations

import pytest

from shared.bus.context import current_envelope
from shared.contracts.events import HostDown
from shared.errors import (
    NotFound,
    Rejected,
)
from tests.cases.bus_cases.scenery import (
    SPEC,
    Seen,
    down,
    one_letter,
    running,
)


class DeadLetterCases:
    @pytest.fixture
    async def letter(self, bus):
        async def refuse(message: HostDown) -> None:
            raise Rejected("no", words="the router says no")

        await bus.publish(down())
        async with running(bus.consume(SPEC, {HostDown: [refuse]})):
            return await one_letter(bus)

    async def test_listed_by_stream_and_consumer(self, bus, letter):
        assert await bus.dead_letters.list(stream="EVENTS", consumer="worker") == [letter]
        assert await bus.dead_letters.list(stream="NOTIFY") == []
        assert await bus.dead_letters.list(consumer="other") == []

    async def test_shown_by_number(self, bus, letter):
        assert await bus.dead_letters.show(letter.sequence) == letter
        with pytest.raises(NotFound):
            await bus.dead_letters.show(letter.sequence + 1)

    async def test_replayed_is_handled_and_leaves_the_list(self, bus, letter):
        seen = Seen()

        async def handler(message: HostDown) -> None:
            envelope = current_envelope()
            assert envelope is not None
            seen.note((message, envelope.id))

        published = await bus.dead_letters.replay(letter.sequence)
        assert not published.duplicate
        async with running(bus.consume(SPEC, {HostDown: [handler]})):
            await seen.until(1)
        assert seen.messages == [(down(), "host:h1:1")]
        assert await bus.dead_letters.list() == []
        with pytest.raises(NotFound):
            await bus.dead_letters.replay(letter.sequence)

    async def test_removed(self, bus, letter):
        await bus.dead_letters.remove(letter.sequence)
        assert await bus.dead_letters.list() == []
        with pytest.raises(NotFound):
            await bus.dead_letters.remove(letter.sequence)
