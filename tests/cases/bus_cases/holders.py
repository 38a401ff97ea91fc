"""What every bus promises about queries that only the holder of something can answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import pytest

from shared.bus.ports import Bus, NotHere
from shared.contracts.queries import PingReport, PingTarget
from shared.errors import DeadlineExceeded, NotFound, Unreachable

Answering = Callable[[PingTarget], Awaitable[PingReport]]


def holder(*names: str) -> Answering:
    """Answers for the targets it holds and stays silent about all others; `lost` it holds without finding it."""

    async def answer(query: PingTarget) -> PingReport:
        if query.target not in names:
            raise NotHere
        if query.target == "lost":
            raise NotFound("it was here a moment ago")
        return PingReport(target=query.target, address=names[0], sent=1, received=1)

    return answer


class HolderCases:
    """For a pair of buses on one server: fixtures `bus` and `other_bus`."""

    @asynccontextmanager
    async def serving(self, *seats: tuple[Bus, Answering]) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for bus, answer in seats:
                task = asyncio.create_task(bus.serve(PingTarget, answer, queue=None))
                stack.push_async_callback(asyncio.gather, task, return_exceptions=True)
                stack.callback(task.cancel)
            await self._until_heard(seats)
            yield

    async def _until_heard(self, seats: tuple[tuple[Bus, Answering], ...]) -> None:
        """Everybody listens once each is heard: `here-<n>` is held by the n-th of them."""
        for number, (bus, _) in enumerate(seats):
            async with asyncio.timeout(10):
                while True:
                    try:
                        await bus.request(PingTarget(target=f"here-{number}"), deadline=timedelta(seconds=0.2))
                    except (Unreachable, DeadlineExceeded):
                        await asyncio.sleep(0.01)
                    else:
                        break

    async def test_only_the_one_who_holds_it_answers(self, bus, other_bus):
        async with self.serving((bus, holder("here-0", "a")), (other_bus, holder("here-1", "b"))):
            for _ in range(5):
                assert (await bus.request(PingTarget(target="b"))).address == "here-1"
                assert (await bus.request(PingTarget(target="a"))).address == "here-0"

    async def test_error_of_the_holder_is_raised_as_its_own(self, bus, other_bus):
        async with self.serving((bus, holder("here-0")), (other_bus, holder("here-1", "lost"))):
            with pytest.raises(NotFound, match="a moment ago"):
                await bus.request(PingTarget(target="lost"))

    async def test_what_nobody_holds_is_silence_until_the_deadline(self, bus, other_bus):
        async with self.serving((bus, holder("here-0")), (other_bus, holder("here-1"))):
            with pytest.raises(DeadlineExceeded):
                await bus.request(PingTarget(target="nobody"), deadline=timedelta(seconds=0.3))
