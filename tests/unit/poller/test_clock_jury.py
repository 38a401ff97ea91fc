"""Whose clock is wrong?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.poller.core.clock_jury import ClockJury

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)


def judged(*drifts: float) -> list[float]:
    """The own fault of each router, once all were heard."""
    jury, at = ClockJury(), NOW
    for _ in range(2):
        at += timedelta(seconds=30)
        found = [jury.heard(f"r{number}", drift_s, at) for number, drift_s in enumerate(drifts)]
        at += timedelta(seconds=30)
        found = [jury.heard(f"r{number}", drift_s, at) for number, drift_s in enumerate(drifts)]
    return found


@pytest.mark.parametrize(
    ("drifts", "faults"),
    [
        pytest.param([600.0], [600.0], id="one-router"),
        pytest.param([600.0, 600.0], [600.0, 600.0], id="two-are-no-majority-over-us"),
        pytest.param([0.0, 0.0, 600.0], [0.0, 0.0, 600.0], id="one-of-three-is-wrong"),
        pytest.param([600.0, 601.0, 599.0, 0.0], [0.0, 1.0, -1.0, -600.0], id="ours-is-wrong"),
        pytest.param([600.0, -40.0, 3000.0], [600.0, -40.0, 3000.0], id="none-agree"),
        pytest.param([4.0, 4.0, 4.0], [4.0, 4.0, 4.0], id="a-few-seconds-are-nobodys-fault"),
    ],
)
def test_who_is_wrong(drifts, faults):
    assert judged(*drifts) == pytest.approx(faults, abs=0.6)


def test_routers_that_were_not_heard_for_long_have_no_say():
    jury = ClockJury()
    for number in range(3):
        jury.heard(f"r{number}", 600.0, NOW)
    assert jury.heard("r9", 600.0, NOW + timedelta(minutes=6)) == 600.0
