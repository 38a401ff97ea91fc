"""What every bus must do: run on the one in memory and on a real NATS server by the classes that inherit these.

A class that inherits gives two fixtures: `bus`, and `other_bus` on the same server with another source.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.bus.context import current_envelope
from shared.bus.ports import ConsumerSpec, Entry, Gone
from shared.contracts.actions import DisconnectSession
from shared.contracts.desired import DesiredAccount
from shared.contracts.envelope import Envelope
from shared.contracts.events import HostDown, HostUp, InventoryChanged
from shared.contracts.message import Message
from shared.contracts.notify import DeliveryDue
from shared.contracts.queries import ListWatched, PingReport, PingTarget, WatchReport
from shared.contracts.streams import ACTIONS, DESIRED, EVENTS, NOTIFY, BucketSpec
from shared.errors import (
    Conflict,
    DeadlineExceeded,
    Invalid,
    NotFound,
    Rejected,
    RondaError,
    Temporary,
    Unreachable,
)

SPEC = ConsumerSpec("worker", EVENTS, (HostDown.filter(), HostUp.filter()))
PATIENCE_S = 10.0
PLAIN_BUCKET = BucketSpec("plain", "Entries that stay.")
SHORT_BUCKET = BucketSpec("short", "Entries that run out.", ttl_s=1.0, marker_ttl_s=2.0)


def down(host: str = "h1", transition: int = 1, **changes: Any) -> HostDown:
    return HostDown.model_validate({**HostDown.EXAMPLE, "host_id": host, "transition": transition, **changes})


def delivery(number: int, chat: str = "c1") -> DeliveryDue:
    return DeliveryDue.model_validate({**DeliveryDue.EXAMPLE, "delivery_id": f"d{number}", "chat_id": chat})


@dataclass
class Seen:
    """What handlers saw, and a way to wait for it."""

    messages: list[Any] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, message: Message) -> None:
        self.note(message)

    def note(self, what: Any) -> None:
        self.messages.append(what)
        self.changed.set()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while len(self.messages) < count:
                self.changed.clear()
                await self.changed.wait()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something becomes true."""
    async with asyncio.timeout(PATIENCE_S):
        while not await condition():  # noqa: ASYNC110 the other side of a wire sets no event
            await asyncio.sleep(0.01)


@asynccontextmanager
async def running(work: Awaitable[None]) -> AsyncIterator[asyncio.Task[None]]:
    """Something that runs until cancelled; if it ends by itself the test learns why."""
    task = asyncio.ensure_future(work)
    try:
        yield task
        if task.done() and not task.cancelled():
            await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


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
            letter = await self.one_letter(bus)
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
            letter = await self.one_letter(bus)
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
            letter = await self.one_letter(bus)
            assert (letter.code, letter.body, letter.tries) == ("invalid", body, 1)
            assert "SECRET" not in letter.reason
            await bus.publish(down(transition=2))
            await seen.until(1)

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

    async def test_waiting_for_others_does_not_use_up_the_tries_of_a_bug(self, bus):
        spec = ConsumerSpec("worker", EVENTS, (HostDown.filter(),), max_deliver=2)
        tries = Seen()

        async def handler(message: HostDown) -> None:
            tries.note(message)
            if len(tries.messages) < 4:
                raise Temporary("not now", retry_after=0.01)
            if len(tries.messages) == 4:
                raise KeyError("once")

        async with running(bus.consume(spec, {HostDown: [handler]})):
            await bus.publish(down())
            await tries.until(5)
        assert await bus.dead_letters.list() == []

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

    async def one_letter(self, bus):
        async def any_letter() -> bool:
            return bool(await bus.dead_letters.list())

        await until(any_letter)
        (letter,) = await bus.dead_letters.list()
        return letter


class DeadLetterCases:
    @pytest.fixture
    async def letter(self, bus):
        async def refuse(message: HostDown) -> None:
            raise Rejected("no", words="the router says no")

        await bus.publish(down())
        async with running(bus.consume(SPEC, {HostDown: [refuse]})):
            return await ConsumeCases().one_letter(bus)

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


class BucketCases:
    async def test_put_get_and_absent(self, bus):
        bucket = await bus.bucket(PLAIN_BUCKET)
        assert await bucket.get("a") is None
        revision = await bucket.put("a", b"1")
        assert await bucket.get("a") == Entry("a", b"1", revision)
        assert await bucket.put("a", b"2") > revision

    async def test_create_only_if_absent(self, bus):
        bucket = await bus.bucket(PLAIN_BUCKET)
        await bucket.create("a", b"1")
        with pytest.raises(Conflict):
            await bucket.create("a", b"2")
        await bucket.delete("a")
        await bucket.create("a", b"3")
        assert (await bucket.get("a")).value == b"3"

    async def test_update_compares_the_revision(self, bus):
        bucket = await bus.bucket(PLAIN_BUCKET)
        first = await bucket.create("a", b"1")
        second = await bucket.update("a", b"2", revision=first)
        with pytest.raises(Conflict):
            await bucket.update("a", b"3", revision=first)
        assert await bucket.get("a") == Entry("a", b"2", second)

    async def test_delete_compares_the_revision_if_told(self, bus):
        bucket = await bus.bucket(PLAIN_BUCKET)
        first = await bucket.put("a", b"1")
        second = await bucket.put("a", b"2")
        with pytest.raises(Conflict):
            await bucket.delete("a", revision=first)
        assert await bucket.get("a") is not None
        await bucket.delete("a", revision=second)
        assert await bucket.get("a") is None
        await bucket.delete("a")

    async def test_one_of_many_creators_wins(self, bus, other_bus):
        buckets = [await bus.bucket(PLAIN_BUCKET), await other_bus.bucket(PLAIN_BUCKET)]
        tries = [buckets[number % 2].create("a", b"%d" % number) for number in range(10)]
        outcomes = await asyncio.gather(*tries, return_exceptions=True)
        assert sum(isinstance(one, int) for one in outcomes) == 1
        assert sum(isinstance(one, Conflict) for one in outcomes) == 9

    async def test_keys_by_prefix_even_within_a_token(self, bus):
        bucket = await bus.bucket(PLAIN_BUCKET)
        for key in ("host.1", "host.12", "host.2", "hostel.1", "site.1"):
            await bucket.put(key, b"")
        await bucket.delete("host.2")
        assert sorted(await bucket.keys()) == ["host.1", "host.12", "hostel.1", "site.1"]
        assert sorted(await bucket.keys("host.1")) == ["host.1", "host.12"]
        assert sorted(await bucket.keys("host.")) == ["host.1", "host.12"]
        assert await bucket.keys("none") == []

    async def test_watch_says_what_is_there_then_none_then_changes(self, bus):
        bucket = await bus.bucket(PLAIN_BUCKET)
        first = await bucket.put("host.1", b"1")
        await bucket.put("host.2", b"2")
        await bucket.delete("host.2")
        await bucket.put("site.1", b"3")
        watching = bucket.watch("host.")
        assert await anext(watching) == Entry("host.1", b"1", first)
        assert await anext(watching) is None
        await bucket.put("site.2", b"4")
        changed = await bucket.put("host.3", b"5")
        assert await anext(watching) == Entry("host.3", b"5", changed)
        await bucket.delete("host.1")
        gone = await anext(watching)
        assert isinstance(gone, Gone)
        assert gone.key == "host.1"
        await watching.aclose()

    async def test_watch_of_an_empty_bucket_says_none(self, bus):
        watching = (await bus.bucket(PLAIN_BUCKET)).watch()
        assert await anext(watching) is None
        await watching.aclose()

    async def test_entry_that_runs_out_is_gone_for_all(self, bus):
        bucket = await bus.bucket(SHORT_BUCKET)
        watching = bucket.watch()
        assert await anext(watching) is None
        await bucket.put("lease", b"me")
        assert isinstance(await anext(watching), Entry)
        async with asyncio.timeout(PATIENCE_S):
            gone = await anext(watching)
        assert isinstance(gone, Gone)
        assert gone.key == "lease"
        assert await bucket.get("lease") is None
        assert await bucket.keys() == []
        await bucket.create("lease", b"you")
        assert (await bucket.get("lease")).value == b"you"
        await watching.aclose()

    async def test_written_again_in_time_it_stays(self, bus):
        bucket = await bus.bucket(SHORT_BUCKET)
        revision = await bucket.create("lease", b"me")
        for _ in range(4):
            await asyncio.sleep(0.4)
            revision = await bucket.update("lease", b"me", revision=revision)
        assert (await bucket.get("lease")).value == b"me"

    @pytest.mark.parametrize("key", ["", ".a", "a.", "a..b", "a b", "a.*", "é", "a\r\nb"])
    async def test_key_that_is_none(self, bus, key):
        bucket = await bus.bucket(PLAIN_BUCKET)
        with pytest.raises(Invalid):
            await bucket.put(key, b"")
        with pytest.raises(Invalid):
            await bucket.get(key)


class QueryCases:
    @asynccontextmanager
    async def serving(self, bus, query_type, answer, queue="poller"):
        async with running(bus.serve(query_type, answer, queue=queue)):
            await self.ready(bus)
            yield

    async def ready(self, bus):
        for _ in range(10):
            await asyncio.sleep(0)  # let it begin; then ask something on the same connection, so that it has arrived
        await bus.bucket(PLAIN_BUCKET)

    async def test_answered(self, bus, other_bus):
        async def answer(query: PingTarget) -> PingReport:
            return PingReport(target=query.target, address="10.0.0.1", sent=query.count, received=3)

        async with self.serving(bus, PingTarget, answer):
            report = await other_bus.request(PingTarget.example())
        assert report == PingReport(target="10.20.0.1", address="10.0.0.1", sent=4, received=3)

    @pytest.mark.parametrize(
        "error",
        [
            NotFound("no such host"),
            Conflict("no"),
            Rejected("the router refused", words="failure: already\nhave"),
            Temporary("not now", retry_after=2.5),
            DeadlineExceeded("the router is slow"),
        ],
        ids=lambda error: error.code,
    )
    async def test_error_of_the_other_side_is_raised_here(self, bus, other_bus, error):
        async def answer(query: PingTarget) -> PingReport:
            raise error

        async with self.serving(bus, PingTarget, answer):
            with pytest.raises(type(error)) as raised:
                await other_bus.request(PingTarget.example())
        assert type(raised.value) is type(error)
        assert str(raised.value) == str(error)
        assert getattr(raised.value, "retry_after", None) == getattr(error, "retry_after", None)
        if isinstance(error, Rejected):
            assert raised.value.words == "failure: already have"

    async def test_bug_of_the_other_side_is_a_nameless_error(self, bus, other_bus):
        async def answer(query: PingTarget) -> PingReport:
            raise KeyError("secret")

        async with self.serving(bus, PingTarget, answer):
            with pytest.raises(RondaError) as raised:
                await other_bus.request(PingTarget.example())
        assert type(raised.value) is RondaError
        assert "secret" not in str(raised.value)

    async def test_nobody_serves(self, bus):
        with pytest.raises(Unreachable):
            await bus.request(ListWatched())

    async def test_nobody_serves_any_more(self, bus, other_bus):
        async def answer(query: ListWatched) -> WatchReport:
            return WatchReport()

        async with self.serving(bus, ListWatched, answer):
            assert await other_bus.request(ListWatched()) == WatchReport()
        with pytest.raises(Unreachable):
            await other_bus.request(ListWatched())

    async def test_late_answer_is_no_answer(self, bus, other_bus):
        async def answer(query: ListWatched) -> WatchReport:
            await asyncio.Event().wait()
            return WatchReport()

        async with self.serving(bus, ListWatched, answer):
            with pytest.raises(DeadlineExceeded):
                await other_bus.request(ListWatched(), deadline=timedelta(seconds=0.1))

    async def test_many_at_once(self, bus, other_bus):
        all_here = asyncio.Barrier(10)

        async def answer(query: PingTarget) -> PingReport:
            await all_here.wait()
            return PingReport(target=query.target, address="", sent=1, received=1)

        async with self.serving(bus, PingTarget, answer):
            asked = [other_bus.request(PingTarget(target=f"t{number}")) for number in range(10)]
            reports = await asyncio.gather(*asked)
        assert [one.target for one in reports] == [f"t{number}" for number in range(10)]

    async def test_one_of_a_queue_answers(self, bus, other_bus):
        answered: list[str] = []

        def by(name: str) -> Callable[[ListWatched], Awaitable[WatchReport]]:
            async def answer(query: ListWatched) -> WatchReport:
                answered.append(name)
                return WatchReport()

            return answer

        async with self.serving(bus, ListWatched, by("one")), self.serving(other_bus, ListWatched, by("two")):
            for _ in range(20):
                await bus.request(ListWatched())
        assert len(answered) == 20

    async def test_query_made_in_a_handler_continues_the_story(self, bus, other_bus):
        stories = Seen()

        async def answer(query: ListWatched) -> WatchReport:
            envelope = current_envelope()
            assert envelope is not None
            stories.note(envelope.correlation_id)
            return WatchReport()

        async def handler(message: HostDown) -> None:
            await bus.request(ListWatched())

        async with (
            self.serving(other_bus, ListWatched, answer),
            running(bus.consume(SPEC, {HostDown: [handler]})),
        ):
            await bus.publish(down())
            await stories.until(1)
        assert stories.messages == ["host:h1:1"]


class BusCases(PublishCases, ConsumeCases, DeadLetterCases, ReadCases, BucketCases, QueryCases):
    """All of them."""
