"""Keeping a channel's limits: a short wait is waited here, a long one is given back to the queue."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence

from services.notifier.core.pacing import BucketState, Rate, take, wait_for
from services.notifier.ports import Urgency
from shared.clock import Clock
from shared.errors import Busy

# Longer waits belong to the queue: a chat that sleeps here keeps what is queued behind it in hand, and when that is
# much, no place is left for other chats (measured: 60 messages for one chat made another wait 11 s).
LONGEST_SLEEP_S = 0.1
BUCKETS_REMEMBERED = 10_000

Rates = Callable[[str], Sequence[tuple[str, Rate]]]
"""The buckets that a message to an address draws from, by name."""


class Pace:
    """Turns at one channel."""

    def __init__(self, rates: Rates, clock: Clock) -> None:
        self._rates = rates
        self._clock = clock
        self._buckets: OrderedDict[str, BucketState] = OrderedDict()
        self._held_until: dict[str, float] = {}

    async def turn(self, address: str, urgency: Urgency) -> None:
        """Wait for the right to send. Raises Busy with the delay if that takes too long to wait here.

        A person's answer is charged to the buckets and never waits for them, so it is never behind a storm.
        """
        now = self._clock.monotonic()
        self._check_hold(address, now)
        rates = self._rates(address)
        if urgency is not Urgency.REPLY:
            wait = max((wait_for(self._bucket(name, rate, now), rate, now) for name, rate in rates), default=0.0)
            if wait > LONGEST_SLEEP_S:
                raise Busy("the channel's own limit is reached", retry_after=wait)
        waits = [self._take(name, rate, now) for name, rate in rates]
        if urgency is not Urgency.REPLY and (wait := max(waits, default=0.0)) > 0:
            await asyncio.sleep(wait)

    def hold(self, address: str, seconds: float) -> None:
        """The channel asked for a pause in this chat."""
        self._held_until[address] = self._clock.monotonic() + seconds

    def _check_hold(self, address: str, now: float) -> None:
        until = self._held_until.get(address)
        if until is None:
            return
        if until > now:
            raise Busy("the channel asked for a pause in this chat", retry_after=until - now)
        del self._held_until[address]

    def _take(self, name: str, rate: Rate, now: float) -> float:
        self._buckets[name], wait = take(self._bucket(name, rate, now), rate, now)
        self._buckets.move_to_end(name)
        if len(self._buckets) > BUCKETS_REMEMBERED:
            self._buckets.popitem(last=False)
        return wait

    def _bucket(self, name: str, rate: Rate, now: float) -> BucketState:
        return self._buckets.get(name) or BucketState(rate.burst, now)
