"""Rounds of hosts that give no reason for doubt: the fast lane of the engine.

What all of a round have in common is done once for it, and what is left per probe is done here in two loops: no call
per probe, no table, no entry in a schedule (docs/decisions/0013-the-hot-path.md has the numbers). A flight is its place
in a ring, by the lower bits of its counter. Whatever is not a plain answer to a plain request takes the flight out of
the ring and the ordinary way (`EchoFamily`).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator

from services.poller.adapters.icmp_batches import TIMESTAMP_TYPE, Received, RoundDepartures
from services.poller.core.timeout import SHORTEST_S
from services.poller.ports import SETTLE_AFTER, SwiftAsker

RING = 1 << 15  # flights: as many as leave within `SHORTEST_S` at 160,000 a second
_MASK = RING - 1
SEND_AT_ONCE = 8  # the moment of each packet is interpolated within these
_WAIT_NS = int(SHORTEST_S * 1e9)  # no timeout is shorter

Left = tuple[SwiftAsker, int, bytes, int]
"""Asker, its number, destination as bytes, when it was sent (monotonic nanoseconds)."""


class FlightRing:
    """The flights of swift rounds, and when each round is to be looked through for those that are still open."""

    def __init__(self, departures: RoundDepartures, nonce: int, reply: int) -> None:
        self._departures, self._nonce, self._reply = departures, nonce, reply
        self._askers: list[SwiftAsker | None] = [None] * RING
        self._numbers, self._sent = [0] * RING, [0] * RING
        self._rounds: deque[tuple[int, int, int]] = deque()  # due at (monotonic nanoseconds), first counter, how many

    def send(self, counter: int, askers: list[SwiftAsker]) -> tuple[int, OSError | None]:
        """Send as many as the kernel takes, from request number `counter` on; how many, and what ended it.

        At most `room` from this counter.
        """
        count, done, problem = len(askers), 0, None
        at, sent, send = counter & _MASK, self._sent, self._departures.send
        self._departures.lay(counter, b"".join([asker.destination for asker in askers]), count)
        self._departures.whole(certainly=True)
        began = first = time.monotonic_ns()
        while done < count:
            try:
                left = send(done, min(done + SEND_AT_ONCE, count))
            except OSError as refused:
                problem = refused
                break
            now = time.monotonic_ns()
            step = max(1, (now - began) // left)
            sent[at + done : at + done + left] = range(began, began + step * left, step)
            done, began = done + left, now
        self._departures.whole(certainly=False)
        if done:
            self._askers[at : at + done] = askers[:done]
            self._numbers[at : at + done] = [asker.number for asker in askers[:done]]
            self._rounds.append((first + _WAIT_NS, counter, done))
        return done, problem

    def answers(self, fields: Iterator[Received], after: int, now: int, since_epoch: int) -> list[int]:
        """Write down what is a plain answer to one of us; the places of what is not.

        `after`: the counter of the next request; `since_epoch`: wall clock less monotonic time, in nanoseconds.
        """
        askers, numbers, sent, lowest = self._askers, self._numbers, self._sent, after - RING
        nonce, reply, heard_at, others = self._nonce, self._reply, now / 1e9, []
        for place, (source, stamp, seconds, nanoseconds, kind, found, counter) in enumerate(fields):
            at = counter & _MASK
            asker = askers[at]
            if (
                asker is None
                or found != nonce
                or kind != reply
                or stamp != TIMESTAMP_TYPE
                or asker.destination != source
                or not lowest <= counter < after
                or asker.swift < 0
            ):
                others.append(place)
                continue
            left, arrived = sent[at], seconds * 1_000_000_000 + nanoseconds - since_epoch
            if not left < arrived <= now:
                others.append(place)
                continue
            askers[at] = None
            fresh = asker.fresh
            fresh.append((arrived - left) / 1e6)
            asker.heard_number = numbers[at]
            asker.heard_at = heard_at
            if len(fresh) >= SETTLE_AFTER:
                asker.settle()
        return others

    def pop(self, counter: int, after: int) -> Left | None:
        """Take out this flight, if it is one of ours; `after`: the counter of the next request."""
        at = counter & _MASK
        asker = self._askers[at]
        if asker is None or not 0 < (after - counter & 0xFFFFFFFF) <= RING:
            return None
        self._askers[at] = None
        return asker, self._numbers[at], asker.destination, self._sent[at]

    def overdue(self, now: int, after: int, count: int = 0) -> list[int]:
        """Counters of what is still open of rounds that are so old that it may be lost, or in the way of the next
        `count` requests. Rounds of which nothing is open are forgotten at any age."""
        found: list[int] = []
        while self._rounds:
            due, first, size = self._rounds[0]
            at = first & _MASK
            if any(part := self._askers[at : at + size]):
                if due > now and (after + count - first & 0xFFFFFFFF) <= RING:
                    break
                found += [first + place for place, asker in enumerate(part) if asker is not None]
            self._rounds.popleft()
        return found

    def next_at(self) -> float | None:
        """When a round is to be looked through, in monotonic seconds."""
        return self._rounds[0][0] / 1e9 if self._rounds else None

    @property
    def open(self) -> int:
        """Flights whose result is open."""
        return sum(
            size - self._askers[first & _MASK : (first & _MASK) + size].count(None) for _, first, size in self._rounds
        )


def room(counter: int) -> int:
    """How many flights from this counter on lie together in the ring."""
    return RING - (counter & _MASK)
