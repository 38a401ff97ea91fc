"""Rows of measurements in PostgreSQL's binary COPY format.

A fast path: asyncpg's own encoder takes a list of tuples of Python values, which for these rows costs several times as
much as packing them from the arrays they wait in (figures: `docs/benchmarks.md`, recorder). The format is PostgreSQL's
documented one: https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from struct import Struct

from services.api.core.backlog import Block, ReadingBlock

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
SLICE_COLUMNS = ("at", "host", "rtt_min_ms", "rtt_avg_ms", "rtt_max_ms", "jitter_ms", "sent", "received")
READING_COLUMNS = ("at", "series", "value")

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

# Each value is its length (-1: null) and then itself: timestamp 8 bytes, integer 4, real 4, smallint 2.
_FULL = Struct(">h iq ii if if if if ih ih".replace(" ", ""))
_ONE_ANSWER = Struct(">h iq ii if if if i ih ih".replace(" ", ""))  # a jitter needs two
_NOTHING = Struct(">h iq ii i i i i ih ih".replace(" ", ""))
_READING = Struct(">h iq ii if".replace(" ", ""))


def slice_rows(blocks: Sequence[Block], numbers: Sequence[int]) -> Iterator[bytes]:
    """The rows of these blocks, a piece per block. `numbers`: the database's number of each place."""
    yield HEADER
    for block in blocks:
        yield b"".join(_slices(block, numbers))
    yield TRAILER


def reading_rows(blocks: Sequence[ReadingBlock], numbers: Sequence[int]) -> Iterator[bytes]:
    """As `slice_rows`, for readings."""
    yield HEADER
    pack = _READING.pack
    for block in blocks:
        at = _moment(block.at)
        yield b"".join(
            pack(3, 8, at, 4, numbers[place], 4, value) for place, value in zip(block.series, block.values, strict=True)
        )
    yield TRAILER


def _slices(block: Block, numbers: Sequence[int]) -> Iterable[bytes]:
    at = _moment(block.at)
    full, one_answer, nothing = _FULL.pack, _ONE_ANSWER.pack, _NOTHING.pack
    rows = zip(
        block.hosts,
        block.rtt_min_ms,
        block.rtt_avg_ms,
        block.rtt_max_ms,
        block.jitter_ms,
        block.sent,
        block.received,
        strict=True,
    )
    for place, low, mean, high, jitter, sent, received in rows:
        host = numbers[place]
        if mean != mean or low != low or high != high:
            yield nothing(8, 8, at, 4, host, -1, -1, -1, -1, 2, sent, 2, received)
        elif jitter != jitter:
            yield one_answer(8, 8, at, 4, host, 4, low, 4, mean, 4, high, -1, 2, sent, 2, received)
        else:
            yield full(8, 8, at, 4, host, 4, low, 4, mean, 4, high, 4, jitter, 2, sent, 2, received)


def _moment(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND
