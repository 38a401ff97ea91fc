"""Samples between the bus and the database: held as plain arrays, within a bound, the oldest given up first."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import compress
from typing import TypeVar

from services.api.core.measurements import EARLY, LATE
from shared.contracts.samples import HostSlices, RouterReadings

V = TypeVar("V")
NAN = float("nan")
_LONGEST_NAME = 200  # longer ones, and NUL, the database would refuse, and all that comes with them
_MOST_PACKETS = 32_767  # of a host in one slice: what two bytes hold


@dataclass(frozen=True, slots=True)
class Block:
    """A poller's slice. Places stand side by side; NaN is nothing measured. About 24 bytes a row."""

    at: datetime
    hosts: array[int]  # places in the backlog's list of ids
    sent: array[int]
    received: array[int]
    rtt_min_ms: array[float]
    rtt_avg_ms: array[float]
    rtt_max_ms: array[float]
    jitter_ms: array[float]

    @property
    def rows(self) -> int:
        """How many hosts it speaks of."""
        return len(self.hosts)


@dataclass(frozen=True, slots=True)
class ReadingBlock:
    """What a router said of itself."""

    at: datetime
    series: array[int]
    values: array[float]

    @property
    def rows(self) -> int:
        """How many values it holds."""
        return len(self.series)


@dataclass
class Names:
    """Ids as small numbers of this process, so that a row is not a string."""

    known: list[tuple[str, ...]] = field(default_factory=list)
    _places: dict[tuple[str, ...], int] = field(default_factory=dict)

    def place(self, name: tuple[str, ...]) -> int:
        """The place of a name, given if it is new."""
        found = self._places.get(name)
        if found is None:
            found = self._places[name] = len(self.known)
            self.known.append(tuple(part.replace("\0", "")[:_LONGEST_NAME] for part in name))
        return found


class Backlog:
    """What waits to be written, `most_rows` at most.

    `taken` counts what came in, `dropped` what had to go, `off_time` what came too late or from the future, `torn` what
    does not hold together.
    """

    def __init__(self, most_rows: int) -> None:
        self._most = most_rows
        self._blocks: deque[Block | ReadingBlock] = deque()
        self.hosts = Names()
        self.series = Names()
        self.rows = 0
        self.taken = 0
        self.dropped = 0
        self.off_time = 0
        self.torn = 0

    def take_slices(self, sample: HostSlices, now: datetime) -> None:
        """Take in a poller's slice."""
        columns = (sample.sent, sample.received, sample.rtt_min_ms, sample.rtt_avg_ms, sample.rtt_max_ms)
        if any(len(column) != len(sample.hosts) for column in (*columns, sample.jitter_ms)):
            self.torn += len(sample.hosts)
            return
        if not _in_time(sample.at, now):
            self.off_time += len(sample.hosts)
            return
        asked = None if all(sample.sent) else [sent > 0 for sent in sample.sent]  # who was not asked has no row
        place = self.hosts.place
        self._add(
            Block(
                sample.at,
                array("i", [place((host,)) for host in _chosen(sample.hosts, asked)]),
                _counts(_chosen(sample.sent, asked)),
                _counts(_chosen(sample.received, asked)),
                _floats(_chosen(sample.rtt_min_ms, asked)),
                _floats(_chosen(sample.rtt_avg_ms, asked)),
                _floats(_chosen(sample.rtt_max_ms, asked)),
                _floats(_chosen(sample.jitter_ms, asked)),
            )
        )

    def take_readings(self, sample: RouterReadings, now: datetime) -> None:
        """Take in what a router said of itself."""
        if not _in_time(sample.at, now):
            self.off_time += len(sample.readings)
            return
        router = str(sample.router_id)
        series = array("i", [self.series.place((router, each.metric, each.part)) for each in sample.readings])
        self._add(ReadingBlock(sample.at, series, array("f", [each.value for each in sample.readings])))

    def batch(self, most_rows: int) -> list[Block | ReadingBlock]:
        """The oldest blocks, about `most_rows` together; they stay until they are `done`."""
        chosen: list[Block | ReadingBlock] = []
        rows = 0
        for block in self._blocks:
            if rows >= most_rows:
                break
            chosen.append(block)
            rows += block.rows
        return chosen

    def done(self, written: Iterable[Block | ReadingBlock]) -> None:
        """These are written, or given up. What was dropped meanwhile is no longer there to remove."""
        for block in written:
            if self._blocks and self._blocks[0] is block:
                self._blocks.popleft()
                self.rows -= block.rows

    def _add(self, block: Block | ReadingBlock) -> None:
        if not block.rows:
            return
        self._blocks.append(block)
        self.rows += block.rows
        self.taken += block.rows
        while self.rows > self._most and len(self._blocks) > 1:
            oldest = self._blocks.popleft()
            self.rows -= oldest.rows
            self.dropped += oldest.rows


def _in_time(at: datetime, now: datetime) -> bool:
    return now - LATE <= at <= now + EARLY


def _chosen(column: Sequence[V], asked: Sequence[bool] | None) -> Sequence[V]:
    return column if asked is None else list(compress(column, asked))


def _counts(values: Sequence[int]) -> array[int]:
    return array("h", [min(max(value, 0), _MOST_PACKETS) for value in values])


def _floats(values: Sequence[float | None]) -> array[float]:
    return array("f", [NAN if value is None else value for value in values])
