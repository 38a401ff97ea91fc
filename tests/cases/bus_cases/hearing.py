"""Samples that nobody stores: heard at most once, by one of each queue."""

from __future__ import annotations

import asyncio
from typing import Any

from shared.contracts.message import Message
from shared.contracts.samples import HostSlices, RouterReadings
from tests.cases.bus_cases.scenery import Seen, running, until

BOTH = (HostSlices, RouterReadings)


def slices(instance: str = "poller-1") -> HostSlices:
    return HostSlices.model_validate({**HostSlices.EXAMPLE, "instance": instance})


async def heard(bus: Any, seen: Seen) -> None:
    """Say samples until one is heard: the server tells nobody when a subscription has arrived. Then forget them."""

    async def any_heard() -> bool:
        await bus.publish_sample(slices("listening?"))
        return bool(seen.messages)

    await until(any_heard)
    await bus.publish_sample(slices("listening!"))
    await until_heard(seen, "listening!")
    seen.messages.clear()


async def until_heard(seen: Seen, instance: str) -> None:
    """Wait for the sample of this instance."""

    async def there() -> bool:
        return any(getattr(one, "instance", None) == instance for one in seen.messages)

    await until(there)


class HearCases:
    async def test_samples_of_all_asked_types_are_heard(self, bus, other_bus):
        seen = Seen()
        async with running(bus.hear(BOTH, seen, queue="recorder")):
            await heard(other_bus, seen)
            await other_bus.publish_sample(RouterReadings.example())
            await other_bus.publish_sample(slices())
            await seen.until(2)
        assert {type(one) for one in seen.messages} == set(BOTH)
        assert RouterReadings.example() in seen.messages

    async def test_one_of_a_queue_hears_each(self, bus, other_bus):
        here, there = Seen(), Seen()
        async with (
            running(bus.hear((HostSlices,), here, queue="recorder")),
            running(other_bus.hear((HostSlices,), there, queue="recorder")),
        ):
            await heard_by_both(bus, here, there)
            for number in range(40):
                await bus.publish_sample(slices(f"n{number}"))
            together = Seen()
            await until(lambda: _all_of(here, there, together, 40))
        assert sorted(one.instance for one in together.messages) == sorted(f"n{number}" for number in range(40))

    async def test_each_queue_hears_all(self, bus, other_bus):
        here, there = Seen(), Seen()
        async with (
            running(bus.hear((HostSlices,), here, queue="recorder")),
            running(other_bus.hear((HostSlices,), there, queue="other")),
        ):
            await heard(bus, here)
            await heard(bus, there)
            await bus.publish_sample(slices("one"))
            await until_heard(here, "one")
            await until_heard(there, "one")

    async def test_a_handler_that_fails_hears_the_next(self, bus, other_bus):
        seen = Seen()

        async def handler(message: Message) -> None:
            seen.note(message)
            raise KeyError("rtt")

        async with running(bus.hear((HostSlices,), handler, queue="recorder")) as hearing:
            await heard(other_bus, seen)
            await other_bus.publish_sample(slices("one"))
            await other_bus.publish_sample(slices("two"))
            await seen.until(2)
            assert not hearing.done()
        assert [one.instance for one in seen.messages] == ["one", "two"]

    async def test_what_cannot_be_read_is_left_out(self, bus, other_bus):
        seen = Seen()
        async with running(bus.hear((HostSlices,), seen, queue="recorder")):
            await heard(other_bus, seen)
            await other_bus.say(slices().subject, {}, b"{not json")
            await other_bus.publish_sample(slices("readable"))
            await seen.until(1)
        assert [one.instance for one in seen.messages] == ["readable"]

    async def test_one_at_a_time_in_the_order_said(self, bus, other_bus):
        seen, at_work = Seen(), 0

        async def handler(message: HostSlices) -> None:
            nonlocal at_work
            at_work += 1
            assert at_work == 1
            await asyncio.sleep(0)
            at_work -= 1
            seen.note(message)

        async with running(bus.hear((HostSlices,), handler, queue="recorder")):
            await heard(other_bus, seen)
            for number in range(50):
                await other_bus.publish_sample(slices(f"n{number}"))
            await seen.until(50)
        assert [one.instance for one in seen.messages] == [f"n{number}" for number in range(50)]

    async def test_after_the_end_nothing_is_heard(self, bus, other_bus):
        seen, later = Seen(), Seen()
        async with running(bus.hear((HostSlices,), seen, queue="recorder")):
            await heard(other_bus, seen)
        async with running(bus.hear((HostSlices,), later, queue="recorder")):
            await heard(other_bus, later)
        assert seen.messages == []


async def heard_by_both(bus: Any, here: Seen, there: Seen) -> None:
    """Say samples until both ends of a queue have heard some, then forget them."""

    async def both() -> bool:
        await bus.publish_sample(slices("listening?"))
        return bool(here.messages) and bool(there.messages)

    await until(both)
    await bus.publish_sample(slices("listening!"))

    async def last() -> bool:
        return any(one.instance == "listening!" for one in here.messages + there.messages)

    await until(last)


async def _all_of(here: Seen, there: Seen, together: Seen, count: int) -> bool:
    together.messages[:] = [one for one in here.messages + there.messages if not one.instance.startswith("listening")]
    return len(together.messages) >= count
