"""Token buckets, and who waits where."""

from __future__ import annotations

import pytest

from services.notifier.adapters.pace import Pace
from services.notifier.adapters.telegram.messenger import telegram_rates
from services.notifier.core.pacing import CHAT, BucketState, refill, take, wait_for
from services.notifier.ports import Urgency
from shared.errors import Busy
from tests.fakes.clock import FakeClock


def test_burst_is_free_and_then_one_a_second() -> None:
    state, waits = BucketState(CHAT.burst, 0.0), []
    for _ in range(5):
        state, wait = take(state, CHAT, 0.0)
        waits.append(wait)
    assert waits == [0, 0, 0, 1, 2]
    assert wait_for(state, CHAT, 2.0) == pytest.approx(1.0)
    assert refill(state, CHAT, 1000.0).tokens == CHAT.burst


async def test_storm_waits_in_the_queue_and_a_person_does_not() -> None:
    clock = FakeClock()
    pace = Pace(telegram_rates, clock)
    for _ in range(3):
        await pace.turn("42", Urgency.DELIVERY)
    with pytest.raises(Busy) as busy:
        await pace.turn("42", Urgency.DELIVERY)
    assert busy.value.retry_after == pytest.approx(1.0)
    await pace.turn("42", Urgency.REPLY)
    await pace.turn("43", Urgency.DELIVERY)  # another chat goes on


async def test_group_has_a_minutes_limit() -> None:
    clock = FakeClock()
    pace = Pace(telegram_rates, clock)
    sent = 0
    for _ in range(60):
        try:
            await pace.turn("-100", Urgency.DELIVERY)
            sent += 1
        except Busy:
            pass
        clock.advance(1)
    assert 35 <= sent <= 41  # 20 at once and 20 more in the minute


async def test_pause_that_the_channel_asked_for_stops_that_chat_alone() -> None:
    clock = FakeClock()
    pace = Pace(telegram_rates, clock)
    pace.hold("42", 5.5)
    with pytest.raises(Busy):
        await pace.turn("42", Urgency.REPLY)
    await pace.turn("43", Urgency.DELIVERY)
    clock.advance(6)
    await pace.turn("42", Urgency.DELIVERY)
