"""How fast a channel may be written to: token buckets with time as an argument.

Figures of Telegram's own Bot FAQ: about 1 message a second in one chat (short bursts pass), 20 a minute in one group,
about 30 a second over all (we stay at 25). An unofficial WhatsApp gateway wants gaps of 6 to 10 s between messages.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_s` messages a second in the long run, `burst` at once."""

    per_s: float
    burst: float


CHAT = Rate(per_s=1.0, burst=3.0)
GROUP = Rate(per_s=20 / 60, burst=20.0)
BOT = Rate(per_s=25.0, burst=25.0)


@dataclass(frozen=True, slots=True)
class BucketState:
    """Tokens at a moment of the monotonic clock; below zero when somebody took what was not there yet."""

    tokens: float
    at: float


def refill(state: BucketState, rate: Rate, now: float) -> BucketState:
    """The bucket as it is `now`."""
    gained = max(0.0, now - state.at) * rate.per_s
    return BucketState(min(rate.burst, state.tokens + gained), now)


def take(state: BucketState, rate: Rate, now: float) -> tuple[BucketState, float]:
    """Take one token; answers the new bucket and how many seconds to wait before using it."""
    full = refill(state, rate, now)
    left = full.tokens - 1.0
    return replace(full, tokens=left), max(0.0, -left / rate.per_s)


def wait_for(state: BucketState, rate: Rate, now: float) -> float:
    """Seconds until a token is there, without taking it."""
    return max(0.0, (1.0 - refill(state, rate, now).tokens) / rate.per_s)
