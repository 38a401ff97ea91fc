"""What is published is stored once, with its envelope."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.bus.ports import ConsumerSpec
from shared.contracts.actions import DisconnectSession
from shared.contracts.envelope import Envelope
from shared.contracts.streams import ACTIONS, EVENTS
from shared.errors import (
    Rejected,
)
from tests.cases.bus_cases.scenery import (
    Seen,
    down,
    running,
    until,
)


class PublishCases:
    async def test_receipt_counts_and_names_the_stream(self, bus):
        first = await bus.publish(down(transition=1))
        second = await bus.publish(down(transition=2))
        assert (first.stream, first.duplicate) == ("EVENTS", False)
        assert second.sequence == first.sequence + 1

    async def test_same_fact_twice_is_stored_once(self, bus):
        first = await bus.publish(down())
        again = await bus.publish(down())
        assert again.duplicate
        assert again.sequence == first.sequence
        assert [one async for one in bus.read(EVENTS, after_sequence=first.sequence, follow=False)] == [None]

    async def test_envelope_travels_with_the_message(self, bus):
        cause = Envelope.around(down(), source="somebody", now=datetime(2026, 11, 20, tzinfo=UTC))
        await bus.publish(down(transition=2), cause=cause)
        received = await anext(bus.read(EVENTS, after_sequence=0))
        assert received.message == down(transition=2)
        assert received.envelope.correlation_id == cause.correlation_id
        assert received.envelope.causation_id == cause.id
        assert received.envelope.traceparent == cause.traceparent
        assert received.envelope.type == "ronda.v1.evt.host.down"

    async def test_stored_is_published_as_it_was_written(self, bus):
        envelope = Envelope.around(down(), source="outbox", now=datetime(2026, 11, 20, tzinfo=UTC))
        body = down().model_dump_json().encode()
        receipt = await bus.publish_stored(down().subject, envelope.headers(), body)
        again = await bus.publish_stored(down().subject, envelope.headers(), body)
        assert again.duplicate
        received = await anext(bus.read(EVENTS, after_sequence=0))
        assert (received.envelope, received.sequence) == (envelope, receipt.sequence)

    async def test_action_that_is_late_never_happens(self, bus):
        kick = DisconnectSession.example()
        await bus.publish(kick, ttl_s=1)

        async def gone() -> bool:
            return [one async for one in bus.read(ACTIONS, after_sequence=0, follow=False)] == [None]

        assert not await gone()
        await until(gone)
        seen = Seen()
        spec = ConsumerSpec("kicker", ACTIONS, (DisconnectSession.filter(),))
        async with running(bus.consume(spec, {DisconnectSession: [seen]})):
            await bus.publish(kick.model_copy(update={"account": "other"}))
            await seen.until(1)
        assert [one.account for one in seen.messages] == ["other"]

    async def test_ttl_where_the_stream_has_none_is_refused(self, bus):
        with pytest.raises(Rejected):
            await bus.publish(down(), ttl_s=5)

    async def test_sample_nobody_hears_is_no_error(self, bus):
        await bus.publish_sample(down())
        assert [one async for one in bus.read(ACTIONS, after_sequence=0, follow=False)] == [None]
