"""The bench on its own: what no bus can be made to do from outside."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from shared.bus.delivery import StoredMessage
from shared.bus.handling import LONGEST_DELAY_S, retry_delay
from shared.bus.workbench import Workbench
from shared.clock import SystemClock
from shared.contracts.envelope import Envelope
from shared.contracts.events import HostDown
from shared.errors import Invalid, Unreachable
from tests.cases.bus import SPEC, down


@dataclass
class HeldDelivery:
    """A delivery that notes how it was answered."""

    message: StoredMessage
    delivered: int = 1
    answers: list[object] = field(default_factory=list)
    answered: asyncio.Event = field(default_factory=asyncio.Event)

    async def ack(self) -> None:
        self._note("ack")

    async def nak(self, delay_s: float) -> None:
        self._note(delay_s)

    async def in_progress(self) -> None:
        return

    def _note(self, answer: object) -> None:
        self.answers.append(answer)
        self.answered.set()


def held(sequence: int = 1) -> HeldDelivery:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    envelope = Envelope.around(down(transition=sequence), source="x", now=now)
    body = down(transition=sequence).model_dump_json().encode()
    return HeldDelivery(StoredMessage(down().subject, envelope.headers(), body, sequence, now))


async def refuse(message: HostDown) -> None:
    raise Invalid("no")


async def test_dead_letter_that_cannot_be_stored_is_not_acknowledged():
    async def bury(*_: object) -> None:
        raise Unreachable("the bus is away")

    delivery = held()
    async with Workbench(SPEC, {HostDown: [refuse]}, bury=bury, clock=SystemClock()) as bench:
        bench.put(delivery)
        await delivery.answered.wait()
    (delay,) = delivery.answers
    assert isinstance(delay, float)
    assert delay > 0


async def test_fault_of_the_bench_itself_ends_the_consumer():
    async def bury(*_: object) -> None:
        raise ZeroDivisionError

    async def consume() -> None:
        async with Workbench(SPEC, {HostDown: [refuse]}, bury=bury, clock=SystemClock()) as bench:
            bench.put(held())
            await asyncio.Event().wait()

    with pytest.raises(ZeroDivisionError):
        await consume()


async def test_everything_on_the_bench_is_given_back_when_it_is_left():
    async def bury(*_: object) -> None:
        pytest.fail("nothing died")

    async def forever(message: HostDown) -> None:
        await asyncio.Event().wait()

    deliveries = [held(number) for number in (1, 2, 3)]
    async with Workbench(SPEC, {HostDown: [forever]}, bury=bury, clock=SystemClock()) as bench:
        for delivery in deliveries:
            bench.put(delivery)
        await asyncio.sleep(0)
        assert bench.room == SPEC.max_in_flight - 3
    assert [delivery.answers for delivery in deliveries] == [[0.0], [0.0], [0.0]]


@pytest.mark.parametrize(("failures", "longest"), [(1, 0.5), (2, 1.0), (5, 8.0), (8, 60.0), (1000, LONGEST_DELAY_S)])
def test_delay_doubles_up_to_a_limit(failures, longest):
    assert longest * 0.9 <= retry_delay(failures) <= longest
