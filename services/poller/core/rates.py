"""From counters to rates: means since the reading before, never from a counter that was set back."""

from __future__ import annotations

from dataclasses import dataclass

from shared.routeros import Row

_32_BITS = 1 << 32
_FASTEST_32_BIT_BPS = 1_200_000_000  # what counts with 32 bits is not faster than a gigabit port

COLUMNS = (
    "name",
    "type",
    "dynamic",
    "running",
    "rx-byte",
    "tx-byte",
    "rx-packet",
    "tx-packet",
    "rx-error",
    "tx-error",
    "rx-drop",
    "tx-drop",
)


@dataclass(frozen=True, slots=True)
class Counters:
    """What an interface had counted at `at_s`, on a clock that is never set."""

    at_s: float
    rx_bytes: int
    tx_bytes: int
    rx_packets: int
    tx_packets: int
    errors: int
    drops: int


@dataclass(frozen=True, slots=True)
class Rates:
    """Bits, packets, errors and drops per second."""

    rx_bps: float
    tx_bps: float
    rx_pps: float
    tx_pps: float
    error_pps: float
    drop_pps: float


def read_counters(row: Row, at_s: float) -> Counters | None:
    """The counters of a row of `/interface`; None if it has none."""
    if "rx-byte" not in row or "tx-byte" not in row:
        return None
    return Counters(
        at_s,
        _number(row.get("rx-byte")),
        _number(row.get("tx-byte")),
        _number(row.get("rx-packet")),
        _number(row.get("tx-packet")),
        _number(row.get("rx-error")) + _number(row.get("tx-error")),
        _number(row.get("rx-drop")) + _number(row.get("tx-drop")),
    )


def rates(before: Counters, now: Counters, *, longest_s: float) -> Rates | None:
    """Rates between two readings; None if they are too far apart, or if the counters were set back meanwhile."""
    elapsed_s = now.at_s - before.at_s
    if not 0 < elapsed_s <= longest_s:
        return None
    # All counters are set back together; packets need a hundred times longer to run over than bytes.
    if now.rx_packets < before.rx_packets or now.tx_packets < before.tx_packets:
        return None
    rx_bytes = _grown(before.rx_bytes, now.rx_bytes, elapsed_s)
    tx_bytes = _grown(before.tx_bytes, now.tx_bytes, elapsed_s)
    if rx_bytes is None or tx_bytes is None:
        return None
    return Rates(
        rx_bps=rx_bytes * 8 / elapsed_s,
        tx_bps=tx_bytes * 8 / elapsed_s,
        rx_pps=(now.rx_packets - before.rx_packets) / elapsed_s,
        tx_pps=(now.tx_packets - before.tx_packets) / elapsed_s,
        error_pps=max(0, now.errors - before.errors) / elapsed_s,
        drop_pps=max(0, now.drops - before.drops) / elapsed_s,
    )


def _grown(before: int, now: int, elapsed_s: float) -> int | None:
    """How much was counted; a counter of 32 bits may have run over once. None: it was set back."""
    if now >= before:
        return now - before
    over = now + _32_BITS - before
    possible = before < _32_BITS and over * 8 <= _FASTEST_32_BIT_BPS * elapsed_s
    return over if possible else None


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() else 0
