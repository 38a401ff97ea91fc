"""How long to wait for an answer: four times what the host usually needs."""

from __future__ import annotations

from array import array

from shared.contracts.inventory import ProbePolicy

WINDOW = 64  # round-trip times that are remembered per host
ENOUGH = 20  # below this the policy's longest timeout holds
FACTOR = 4.0
SHORTEST_S = 0.05  # for whoever answers within 12 ms; an answer after it still proves life and is no loss
_REFRESH = 16  # answers between two looks at the window: sorting on every reply would cost more than asking


class RoundTrips:
    """The last round-trip times of one host, and the timeout that follows from them."""

    __slots__ = ("_count", "_p95_ms", "_times")

    def __init__(self) -> None:
        self._times = array("f")
        self._count = 0
        self._p95_ms: float | None = None

    def add(self, rtt_ms: float) -> None:
        """Remember one more round trip, in milliseconds."""
        if self._count < WINDOW:
            self._times.append(rtt_ms)
        else:
            self._times[self._count % WINDOW] = rtt_ms
        self._count += 1
        if self._count >= ENOUGH and (self._count == ENOUGH or self._count % _REFRESH == 0):
            self._look()

    def _look(self) -> None:
        self._p95_ms = sorted(self._times)[int(0.95 * (len(self._times) - 1) + 0.5)]

    def extend(self, rtts_ms: list[float]) -> None:
        """Remember several, at most `WINDOW`, oldest first."""
        start, before = self._count % WINDOW, self._count
        self._times[start : start + len(rtts_ms)] = array("f", rtts_ms[: WINDOW - start])
        rest = rtts_ms[WINDOW - start :]
        self._times[: len(rest)] = array("f", rest)
        self._count += len(rtts_ms)
        if self._count >= ENOUGH and (before < ENOUGH or self._count // _REFRESH != before // _REFRESH):
            self._look()

    @property
    def last_ms(self) -> float | None:
        """The newest round trip."""
        return self._times[(self._count - 1) % WINDOW] if self._count else None

    def timeout_s(self, policy: ProbePolicy) -> float:
        """Seconds to wait for the next answer: 4 × the 95th percentile, between 50 ms and the policy's maximum."""
        if self._p95_ms is None:
            return policy.max_timeout_s
        return min(policy.max_timeout_s, max(SHORTEST_S, FACTOR * self._p95_ms / 1000))
