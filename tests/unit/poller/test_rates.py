"""From counters to rates."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.poller.core.rates import Counters, rates, read_counters

BITS_32 = 1 << 32
BEFORE = Counters(100.0, 1_000_000, 2_000_000, 1_000, 2_000, 5, 7)


def later(seconds: float = 10.0, **changes: int) -> Counters:
    return replace(BEFORE, at_s=100.0 + seconds, **changes)


def test_rates_are_means_since_the_reading_before():
    found = rates(BEFORE, later(rx_bytes=2_250_000, tx_packets=2_500, errors=6, drops=17), longest_s=90)
    assert (found.rx_bps, found.tx_bps, found.tx_pps, found.error_pps, found.drop_pps) == (1_000_000, 0, 50, 0.1, 1)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        pytest.param(BEFORE, later(rx_bytes=10, rx_packets=1, tx_bytes=10, tx_packets=1), id="set-back-by-a-restart"),
        pytest.param(BEFORE, later(rx_bytes=10, tx_bytes=10), id="bytes-set-back-alone"),
        pytest.param(replace(BEFORE, rx_bytes=9 * BITS_32), later(rx_bytes=10), id="64-bit-counter-set-back"),
        pytest.param(
            replace(BEFORE, rx_bytes=BITS_32 - 1), later(1.0, rx_bytes=BITS_32 // 2), id="too-fast-for-32-bits"
        ),
        pytest.param(BEFORE, later(91, rx_bytes=9_000_000), id="too-far-apart"),
        pytest.param(BEFORE, later(0, rx_bytes=9_000_000), id="no-time-passed"),
        pytest.param(BEFORE, later(-5, rx_bytes=9_000_000), id="time-went-back"),
    ],
)
def test_nothing_is_said_where_nothing_is_known(before, now):
    assert rates(before, now, longest_s=90) is None


def test_32_bit_counter_that_ran_over():
    before = replace(BEFORE, rx_bytes=BITS_32 - 500_000)
    found = rates(before, later(rx_bytes=750_000), longest_s=90)
    assert found.rx_bps == 1_000_000


@given(st.integers(0, 1 << 63), st.integers(0, 1 << 40), st.floats(0.1, 90))
def test_growing_64_bit_counters_are_never_negative_and_never_more_than_grown(start, growth, seconds):
    before = replace(BEFORE, rx_bytes=start)
    found = rates(before, later(seconds, rx_bytes=start + growth), longest_s=90.001)
    assert found.rx_bps == pytest.approx(growth * 8 / (later(seconds).at_s - 100.0))


def test_row_without_counters_is_no_reading():
    assert read_counters({"name": "lo"}, 1.0) is None
    row = {"rx-byte": "576577503641", "tx-byte": "1", "rx-error": "2", "tx-error": "3"}
    assert read_counters(row, 1.0) == Counters(1.0, 576577503641, 1, 0, 0, 5, 0)
