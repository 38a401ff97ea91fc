"""Was the router restarted?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.poller.core.boots import Boot, restarted

START = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
DAY = 86_400.0


def seen(after_s: float, uptime_s: float) -> Boot:
    return Boot(START + timedelta(seconds=after_s), uptime_s, "7.16.2")


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        pytest.param(seen(0, 100), seen(60, 160), False, id="a-minute-later"),
        pytest.param(seen(0, 100), seen(60, 158), False, id="whole-seconds-and-the-way"),
        pytest.param(seen(0, 10 * DAY), seen(90, 30), True, id="uptime-went-backwards"),
        pytest.param(seen(0, 60), seen(3600, 3000), True, id="blind-for-longer-than-it-ran"),
        pytest.param(seen(0, 60), seen(3600, 3660), False, id="blind-and-it-ran-on"),
        pytest.param(seen(0, DAY), seen(30 * DAY, 31 * DAY - 400), False, id="crystal-is-off-by-a-minute-a-week"),
        pytest.param(seen(0, DAY), seen(7200, DAY + 60), False, id="our-clock-was-set-two-hours-ahead"),
        pytest.param(seen(0, DAY), seen(-7200, DAY + 60), False, id="our-clock-was-set-back"),
        pytest.param(seen(0, 40), seen(45, 2), True, id="restarts-again-and-again"),
        pytest.param(seen(0, 365 * DAY), seen(300, 200), True, id="after-a-year"),
    ],
)
def test_table(before, now, expected):
    assert restarted(before, now) is expected


@given(
    ran_s=st.floats(0, 400 * DAY),
    unseen_s=st.floats(1, 60 * DAY),
    off=st.floats(-100e-6, 100e-6),
    hidden=st.floats(-1.5, 1.5),
)
def test_router_that_ran_on_was_never_restarted(ran_s, unseen_s, off, hidden):
    now = seen(unseen_s, max(0.0, ran_s + unseen_s * (1 + off) + hidden))
    assert not restarted(seen(0, ran_s), now)


@given(ran_s=st.floats(60, 400 * DAY), away_s=st.floats(30, 60 * DAY), share=st.floats(0.0, 0.95))
def test_router_that_was_restarted_is_found_out(ran_s, away_s, share):
    """It went away at 0 and started again somewhere in between, at least 20 s after we saw it last."""
    uptime_s = share * max(0.0, away_s - 20)
    assert restarted(seen(0, ran_s), seen(away_s, uptime_s))
