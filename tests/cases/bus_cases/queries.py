"""Questions with a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from shared.bus.context import current_envelope
from shared.contracts.events import HostDown
from shared.contracts.queries import ListWatched, PingReport, PingTarget, WatchReport
from shared.errors import (
    Conflict,
    DeadlineExceeded,
    NotFound,
    Rejected,
    RondaError,
    Temporary,
    Unreachable,
)
from tests.cases.bus_cases.scenery import (
    PLAIN_BUCKET,
    SPEC,
    Seen,
    down,
    running,
)


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
