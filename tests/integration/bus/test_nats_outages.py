"""What happens to the bus when the server stops, dies, or loses what it had."""

from __future__ import annotations

import asyncio
import contextlib
import json
from datetime import timedelta

import nats
import pytest

from shared.bus.nats import NatsBus
from shared.bus.ports import ConsumerSpec, Entry
from shared.contracts.events import HostDown
from shared.contracts.queries import ListWatched, WatchReport
from shared.contracts.samples import HostSlices
from shared.contracts.streams import EVENTS
from shared.errors import NotAllowed, Unreachable
from tests.cases.bus import PLAIN_BUCKET, SPEC, Seen, down, running, until
from tests.cases.bus_cases.hearing import heard


@pytest.fixture
async def bus(nats_server):
    async with NatsBus.connect(nats_server.url(), name="one", source="ronda/one") as bus:
        yield bus


@pytest.fixture
def ask_server(nats_server):
    """Ask the server's JetStream API beside the bus."""

    async def ask(verb: str, content: dict | None = None):
        client = await nats.connect(nats_server.url(), inbox_prefix="_INBOX.operator")
        try:
            answer = await client.request(f"$JS.API.{verb}", json.dumps(content or {}).encode(), timeout=5)
        finally:
            await client.close()
        return json.loads(answer.data)

    return ask


async def connected(bus: NatsBus) -> None:
    async def back() -> bool:
        return bus.connected

    await until(back)


class TestWhileAway:
    async def test_publish_is_unreachable_within_its_time(self, nats_server):
        async with NatsBus.connect(nats_server.url(), name="one", source="x", wait_s=0.3) as bus:
            bucket = await bus.bucket(PLAIN_BUCKET)
            nats_server.kill()
            for attempt in (bus.publish(down()), bus.request(ListWatched()), bucket.get("a"), bucket.put("a", b"")):
                with pytest.raises(Unreachable):
                    async with asyncio.timeout(5):
                        await attempt
            await bus.publish_sample(down())
            assert not bus.connected

    async def test_samples_are_heard_again_after_it(self, nats_server, bus):
        seen = Seen()
        async with running(bus.hear((HostSlices,), seen, queue="recorder")):
            await heard(bus, seen)
            nats_server.kill()
            nats_server.start()
            await connected(bus)
            await heard(bus, seen)

    async def test_health_has_a_grace_time(self, nats_server, bus):
        assert bus.healthy(timedelta(0))
        nats_server.kill()

        async def away() -> bool:
            return not bus.connected

        await until(away)
        assert bus.healthy(timedelta(minutes=1))
        assert not bus.healthy(timedelta(0))
        nats_server.start()
        await connected(bus)
        assert bus.healthy(timedelta(0))

    async def test_publish_that_waits_succeeds_when_the_server_is_back(self, nats_server, bus):
        nats_server.kill()
        publishing = asyncio.create_task(bus.publish(down()))
        await asyncio.sleep(0)
        await asyncio.to_thread(nats_server.start)
        assert not (await publishing).duplicate

    async def test_first_connection_waits_for_the_server(self, nats_server):
        nats_server.kill()
        starting = asyncio.create_task(asyncio.to_thread(nats_server.start))
        async with NatsBus.connect(nats_server.url(), name="one", source="x", connect_wait_s=20) as bus:
            assert bus.connected
        await starting

    async def test_no_server_is_unreachable(self, nats_server):
        nats_server.kill()
        with pytest.raises(Unreachable):
            async with NatsBus.connect(nats_server.url(), name="one", source="x", connect_wait_s=0.3):
                pytest.fail("there is no server")

    async def test_wrong_password_is_said_at_once(self, nats_server):
        url = nats_server.url().replace("operator:", "operator:wrong")
        with pytest.raises(NotAllowed) as raised:
            async with NatsBus.connect(url, name="one", source="x"):
                pytest.fail("that was the wrong password")
        assert url.split(":")[2].split("@")[0] not in str(raised.value)

    async def test_query_in_flight_fails_at_once(self, nats_server, bus):
        asked = Seen()

        async def never(query: ListWatched) -> WatchReport:
            asked.note(query)
            await asyncio.Event().wait()
            return WatchReport()

        async def request() -> None:
            while True:
                try:
                    await bus.request(ListWatched(), deadline=timedelta(minutes=10))
                except Unreachable:
                    if asked.messages:
                        raise
                    await asyncio.sleep(0.01)  # nobody serves it yet

        async with (
            NatsBus.connect(nats_server.url("poller"), name="two", source="x") as other,
            running(other.serve(ListWatched, never, queue="poller")),
        ):
            requesting = asyncio.create_task(request())
            await asked.until(1)
            nats_server.kill()
            async with asyncio.timeout(5):
                with pytest.raises(Unreachable):
                    await requesting


class TestAfterwards:
    async def test_everything_goes_on_after_a_crash(self, nats_server, bus):
        """Consumer, reader, watcher and answering service survive two crashes without being told."""
        handled, read, watched = Seen(), Seen(), Seen()
        bucket = await bus.bucket(PLAIN_BUCKET)

        async def reading() -> None:
            async for one in bus.read(EVENTS, after_sequence=0):
                read.note(one and one.message.transition)

        async def watching() -> None:
            async for one in bucket.watch():
                watched.note(one and one.value)

        async def answer(query: ListWatched) -> WatchReport:
            return WatchReport(sessions={"r": 1})

        async def answered() -> bool:
            try:
                return await bus.request(ListWatched()) == WatchReport(sessions={"r": 1})
            except Unreachable:
                return False

        async with (
            running(bus.consume(SPEC, {HostDown: [handled]})),
            running(reading()),
            running(watching()),
            running(bus.serve(ListWatched, answer, queue="poller")),
        ):
            for crash in range(3):
                if crash:
                    nats_server.kill()
                    await asyncio.to_thread(nats_server.start)
                    await connected(bus)
                await bus.publish(down(transition=crash))
                await bucket.put("a", b"%d" % crash)
                await handled.until(crash + 1)
                await read.until(crash + 2)
                await watched.until(crash + 2)
                await until(answered)
        assert {one.transition for one in handled.messages} == {0, 1, 2}
        assert [one for one in read.messages if one is not None] == [0, 1, 2]
        assert [one for one in watched.messages if one is not None] == [b"0", b"1", b"2"]
        assert read.messages.count(None) == watched.messages.count(None) == 1

    async def test_message_in_hand_during_a_crash_is_not_begun_twice(self, nats_server, bus, ask_server):
        spec = ConsumerSpec("worker", EVENTS, (HostDown.filter(),), ack_wait_s=1)
        begun, done, go = Seen(), Seen(), asyncio.Event()

        async def handler(message: HostDown) -> None:
            begun.note(message.transition)
            await go.wait()
            done.note(message.transition)

        async def handed_out_again() -> bool:
            return (await ask_server("CONSUMER.INFO.EVENTS.worker"))["num_redelivered"] == 1

        async with running(bus.consume(spec, {HostDown: [handler]})):
            await bus.publish(down(transition=1))
            await begun.until(1)
            nats_server.kill()
            await asyncio.sleep(1.2)  # the acknowledgement time, by the server's clock
            await asyncio.to_thread(nats_server.start)
            with contextlib.suppress(TimeoutError):  # unless our sign of life came before the server's turn
                async with asyncio.timeout(5):
                    await until(handed_out_again)
            await bus.publish(down("h2", transition=2))
            await begun.until(2)
            go.set()
            await done.until(2)
        assert begun.messages == [1, 2]

    async def test_reading_the_last_of_each_goes_on_after_a_crash_in_the_middle(self, nats_server, bus):
        await asyncio.gather(*(bus.publish(down(f"h{number}")) for number in range(800)))
        reading = bus.read(EVENTS, last_per_subject=True)
        said = [await anext(reading) for _ in range(300)]
        nats_server.kill()
        await asyncio.to_thread(nats_server.start)
        while (one := await anext(reading)) is not None:
            said.append(one)
        await reading.aclose()
        assert [one.sequence for one in said] == list(range(1, 801))

    async def test_deleted_consumer_is_made_again(self, bus, ask_server):
        seen = Seen()
        async with running(bus.consume(SPEC, {HostDown: [seen]})):
            await bus.publish(down(transition=1))
            await seen.until(1)
            assert (await ask_server("CONSUMER.DELETE.EVENTS.worker"))["success"]
            await bus.publish(down(transition=2))

            async def second() -> bool:
                return 2 in [one.transition for one in seen.messages]

            await until(second)

    async def test_deleted_stream_is_made_again(self, bus, ask_server):
        seen, read = Seen(), Seen()

        async def reading() -> None:
            async for one in bus.read(EVENTS, after_sequence=0):
                read.note(one and one.message.transition)

        async with running(bus.consume(SPEC, {HostDown: [seen]})), running(reading()):
            for number in (1, 2, 3):
                await bus.publish(down(transition=number))
            await seen.until(3)
            await read.until(4)
            assert (await ask_server("STREAM.DELETE.EVENTS"))["success"]
            await bus.publish(down(transition=4))
            await seen.until(4)
            await read.until(5)
        assert seen.messages[-1].transition == 4
        assert read.messages[-1] == 4

    async def test_server_that_lost_its_disk_gets_everything_anew(self, nats_server, bus, tmp_path):
        await bus.publish(down(transition=1))
        bucket = await bus.bucket(PLAIN_BUCKET)
        await bucket.put("a", b"1")
        nats_server.kill()
        (tmp_path / "nats" / "streams").rename(tmp_path / "lost")
        await asyncio.to_thread(nats_server.start)
        await connected(bus)
        assert (await bus.publish(down(transition=1))).duplicate is False
        bucket = await bus.bucket(PLAIN_BUCKET)
        revision = await bucket.create("a", b"2")
        assert await bucket.get("a") == Entry("a", b"2", revision)
