"""What one host's probes measured in the present slice of time. The only part of quality that every probe touches.

A host's regular rounds and its trains count; the probes of a confirmation or a recovery do not: they are asked because
something was lost, and would make every loss look like five. Counts lie in two halves, so that one slice can be read at
leisure while the next one fills.
"""

from __future__ import annotations

from array import array
from operator import sub
from typing import NamedTuple

LOST, RECEIVED, PAIRS, RTT_SUM, RTT_MIN, RTT_MAX, JITTER_SUM = range(7)
_WIDTH = 7
_EMPTY = array("d", (0.0, 0.0, 0.0, 0.0, float("inf"), 0.0, 0.0))
_IN_FLIGHT = 63  # as many probes of one host can be told apart while they are under way


class Slice(NamedTuple):
    """One host over one slice; times in milliseconds. Jitter: differences between consecutive round trips."""

    lost: int
    received: int
    pairs: int
    rtt_sum: float
    rtt_min: float
    rtt_max: float
    jitter_sum: float

    @property
    def sent(self) -> int:
        """Probes whose result is known."""
        return self.lost + self.received


class Turn:
    """Which half of every gauge fills now; one for all hosts."""

    __slots__ = ("base",)

    def __init__(self) -> None:
        self.base = 0

    def flip(self) -> int:
        """Begin a new slice; answers the half that is complete."""
        complete = self.base
        self.base = _WIDTH - complete
        return complete


class Gauge:
    """Counts of one host."""

    __slots__ = ("_counts", "_expected", "_given_up", "_last_ms", "_turn")

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._counts = _EMPTY + _EMPTY
        self._expected = 0  # one bit per probe under way that counts
        self._given_up = 0  # and one per probe that was counted as lost and may still come
        self._last_ms = -1.0

    def asked(self, number: int, *, counts: bool) -> None:
        """Probe `number` was sent; `counts`: for the quality, too."""
        bit = 1 << (number & _IN_FLIGHT)
        if counts:
            self._expected |= bit
        else:
            self._expected &= ~bit
        self._given_up &= ~bit

    def answered(self, number: int, rtt_ms: float) -> None:
        """Probe `number` came back. One that was given up before was slow, and no loss."""
        bit = 1 << (number & _IN_FLIGHT)
        counts, base, last_ms = self._counts, self._turn.base, self._last_ms
        if self._expected & bit:
            self._expected ^= bit
        elif self._given_up & bit and counts[base + LOST]:  # its slice may be told already: then it stays a loss
            self._given_up ^= bit
            counts[base + LOST] -= 1
        else:
            return
        counts[base + RECEIVED] += 1
        counts[base + RTT_SUM] += rtt_ms
        if rtt_ms < counts[base + RTT_MIN]:
            counts[base + RTT_MIN] = rtt_ms
        if rtt_ms > counts[base + RTT_MAX]:
            counts[base + RTT_MAX] = rtt_ms
        if last_ms >= 0:
            counts[base + PAIRS] += 1
            counts[base + JITTER_SUM] += rtt_ms - last_ms if rtt_ms > last_ms else last_ms - rtt_ms
        self._last_ms = rtt_ms

    def came_back(self, rtts_ms: list[float], half: int) -> None:
        """Several that count came back, oldest first; they belong to this half. In a tenth of the time of one by one,
        since C does the adding (0.1 µs each)."""
        counts, last_ms = self._counts, self._last_ms
        counts[half + RECEIVED] += len(rtts_ms)
        counts[half + RTT_SUM] += sum(rtts_ms)
        counts[half + RTT_MIN] = min(counts[half + RTT_MIN], *rtts_ms)
        counts[half + RTT_MAX] = max(counts[half + RTT_MAX], *rtts_ms)
        jitter = sum(map(abs, map(sub, rtts_ms[1:], rtts_ms)))
        pairs = len(rtts_ms) - 1
        if last_ms >= 0:
            jitter += abs(rtts_ms[0] - last_ms)
            pairs += 1
        counts[half + PAIRS] += pairs
        counts[half + JITTER_SUM] += jitter
        self._last_ms = rtts_ms[-1]

    def lost(self, number: int) -> None:
        """Probe `number` was given up, or refused."""
        bit = 1 << (number & _IN_FLIGHT)
        if self._expected & bit:
            self._expected ^= bit
            self._given_up |= bit
            self._counts[self._turn.base + LOST] += 1

    def not_asked(self, number: int) -> None:
        """Probe `number` could not be sent: it says nothing."""
        self._expected &= ~(1 << (number & _IN_FLIGHT))

    def take(self, half: int) -> Slice | None:
        """What a complete half counted, and empty it; None if nothing was asked."""
        counts = self._counts
        if not (counts[half + LOST] or counts[half + RECEIVED]):
            return None
        lost, received, pairs, rtt_sum, rtt_min, rtt_max, jitter_sum = counts[half : half + _WIDTH]
        counts[half : half + _WIDTH] = _EMPTY
        return Slice(int(lost), int(received), int(pairs), rtt_sum, rtt_min, rtt_max, jitter_sum)
