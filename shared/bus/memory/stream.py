"""A stream in memory with the rules of JetStream that Ronda relies on: limits, deduplication, TTL, compare-and-set.

Time is the clock's: what runs out does so when the stream is next looked at, so a test that moves its clock need not
wait. Nothing here is durable.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Final

from shared.bus.buckets import EXPECTED_HEADER, MARKER_HEADER
from shared.bus.delivery import StoredMessage
from shared.bus.on_streams import TTL_HEADER
from shared.bus.ports import Published
from shared.bus.subjects import matches, matches_any
from shared.clock import Clock
from shared.contracts.envelope import MSG_ID_HEADER
from shared.contracts.streams import StreamSpec
from shared.errors import Conflict, Rejected

LOOK_EVERY_S: Final = 0.02  # how late a waiting reader may notice that time has passed


@dataclass(frozen=True, slots=True)
class _Kept:
    stored: StoredMessage
    ends: float | None  # by the clock's monotonic time


class MemoryStream:
    """One stream. `marker_ttl_s`: how long a marker stands where a message ran out; 0 for none."""

    def __init__(self, spec: StreamSpec, *, clock: Clock, marker_ttl_s: float = 0.0) -> None:
        self.spec = spec
        self._clock = clock
        self._marker_ttl_s = marker_ttl_s
        self._kept: dict[int, _Kept] = {}
        self._by_subject: dict[str, list[int]] = {}
        self._seen: dict[str, tuple[int, float]] = {}
        self._numbers = count(1)
        self._changed = asyncio.Event()
        self._soonest = math.inf  # when the next message runs out
        self.newest = 0

    def takes(self, subject: str) -> bool:
        """Whether the stream stores what is published there."""
        return any(matches(one, subject) for one in self.spec.subjects)

    def store(self, subject: str, headers: Mapping[str, str], body: bytes) -> Published:
        """Keep a message. Raises Conflict if it expects another predecessor, Rejected for a TTL where none may be."""
        self._forget_old()
        now = self._clock.monotonic()
        identity = headers.get(MSG_ID_HEADER)
        if identity in self._seen and now - self._seen[identity][1] < self.spec.duplicate_window_s:
            return Published(self.spec.name, self._seen[identity][0], duplicate=True)
        self._check_expected(subject, headers)
        ends = self._end(headers, now)
        sequence = self._keep(subject, headers, body, ends)
        if identity is not None:
            self._seen[identity] = (sequence, now)
        return Published(self.spec.name, sequence, duplicate=False)

    def get(self, sequence: int) -> StoredMessage | None:
        """A message by its number."""
        self._forget_old()
        kept = self._kept.get(sequence)
        return kept.stored if kept else None

    def last(self, subject: str) -> StoredMessage | None:
        """The newest message of a subject."""
        self._forget_old()
        sequences = self._by_subject.get(subject)
        return self._kept[sequences[-1]].stored if sequences else None

    def after(self, sequence: int, filters: tuple[str, ...]) -> list[StoredMessage]:
        """What came after `sequence`, in order."""
        self._forget_old()
        if sequence >= self.newest:
            return []
        return [
            kept.stored
            for number, kept in self._kept.items()
            if number > sequence and matches_any(filters, kept.stored.subject)
        ]

    def remove(self, sequence: int) -> None:
        """Take a message out. Harmless if it is gone."""
        kept = self._kept.pop(sequence, None)
        if kept is None:
            return
        subject = kept.stored.subject
        self._by_subject[subject].remove(sequence)
        if not self._by_subject[subject]:
            del self._by_subject[subject]

    async def change(self, *, by_time: bool = True) -> None:
        """Wait until something was stored, or (if time alone can change something) for a moment."""
        try:
            async with asyncio.timeout(LOOK_EVERY_S if by_time else None):
                await self._changed.wait()
        except TimeoutError:
            return

    def stir(self) -> None:
        """Make everybody who waits look again."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def read(
        self, filters: tuple[str, ...], *, after: int | None, last_per_subject: bool, follow: bool
    ) -> AsyncIterator[StoredMessage | None]:
        """The same as `ports.Bus.read`, unread."""
        place = self.newest
        for stored in self._present(filters, after=after, last_per_subject=last_per_subject):
            yield stored
        yield None
        while follow:
            place_before, place = place, self.newest
            for stored in self.after(place_before, filters):
                yield stored
            if self.newest == place:
                await self.change(by_time=self._soonest < math.inf)

    def _present(self, filters: tuple[str, ...], *, after: int | None, last_per_subject: bool) -> list[StoredMessage]:
        if last_per_subject:
            return [one for one in self.after(0, filters) if self._by_subject[one.subject][-1] == one.sequence]
        return [] if after is None else self.after(after, filters)

    def _keep(self, subject: str, headers: Mapping[str, str], body: bytes, ends: float | None) -> int:
        sequence = self.newest = next(self._numbers)
        stored = StoredMessage(subject, dict(headers), body, sequence, self._clock.now())
        self._kept[sequence] = _Kept(stored, ends)
        self._soonest = min(self._soonest, ends if ends is not None else math.inf)
        of_subject = self._by_subject.setdefault(subject, [])
        of_subject.append(sequence)
        if 0 < self.spec.max_per_subject < len(of_subject):
            self.remove(of_subject[0])
        self.stir()
        return sequence

    def _check_expected(self, subject: str, headers: Mapping[str, str]) -> None:
        expected = headers.get(EXPECTED_HEADER)
        if expected is None:
            return
        present = (self._by_subject.get(subject) or [0])[-1]
        if int(expected) != present:
            raise Conflict(f"wrong last sequence: {present}")

    def _end(self, headers: Mapping[str, str], now: float) -> float | None:
        ends = [now + self.spec.max_age_s] if self.spec.max_age_s else []
        if TTL_HEADER in headers:
            if not self.spec.message_ttl:
                words = "per-message TTL is disabled"
                raise Rejected(f"the bus refused: {words}", words=words)
            ends.append(now + float(headers[TTL_HEADER].removesuffix("s")))
        return min(ends, default=None)

    def _forget_old(self) -> None:
        now = self._clock.monotonic()
        if now < self._soonest:
            return
        for sequence in [number for number, kept in self._kept.items() if kept.ends is not None and kept.ends <= now]:
            self._run_out(sequence, now)
        self._soonest = min((kept.ends for kept in self._kept.values() if kept.ends is not None), default=math.inf)

    def _run_out(self, sequence: int, now: float) -> None:
        stored = self._kept[sequence].stored
        was_last = self._by_subject[stored.subject][-1] == sequence
        self.remove(sequence)
        if self._marker_ttl_s and was_last and MARKER_HEADER not in stored.headers:
            self._keep(stored.subject, {MARKER_HEADER: "MaxAge"}, b"", now + self._marker_ttl_s)
