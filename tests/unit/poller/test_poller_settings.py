"""What the poller is told from outside."""

from __future__ import annotations

import pytest

from services.poller.adapters.icmp import IcmpProbe
from services.poller.core.degraded import bounds_from
from services.poller.main import askable
from services.poller.settings import PollerSettings
from shared.config import load
from shared.errors import Misconfigured


def test_sentinels_are_a_list_of_numbers(monkeypatch):
    monkeypatch.setenv("RONDA_POLLER_SENTINELS", "10.0.0.1, 2001:db8::1")
    assert load(PollerSettings).poller_sentinels == ("10.0.0.1", "2001:db8::1")


def test_no_sentinels_is_allowed(monkeypatch):
    monkeypatch.delenv("RONDA_POLLER_SENTINELS", raising=False)
    assert load(PollerSettings).poller_sentinels == ()


def test_name_as_sentinel_is_refused(monkeypatch):
    monkeypatch.setenv("RONDA_POLLER_SENTINELS", "10.0.0.1,gateway")
    with pytest.raises(Misconfigured, match="gateway is not a numeric address"):
        load(PollerSettings)


async def test_sentinels_that_may_not_be_asked_are_left_out():
    """Otherwise a poller without the right to ping would hold itself blind and never call a TCP host down."""
    icmp = IcmpProbe()
    icmp.refusals[4] = "not permitted"
    assert askable(("10.0.0.1", "2001:db8::1"), icmp) == (() if 6 in icmp.refusals else ("2001:db8::1",))
    icmp.close()


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        pytest.param("loss=5", "is no bound", id="unknown"),
        pytest.param("loss_percent=many", "could not convert", id="no-number"),
        pytest.param("loss_percent=2", "must not lie above", id="ends-above-its-begin"),
        pytest.param("windows_bad=0", "at least one window", id="no-window"),
    ],
)
def test_bounds_of_the_degraded_alarm_that_make_no_sense_are_refused(text, wrong):
    with pytest.raises(ValueError, match=wrong):
        PollerSettings(poller_degraded=text)


def test_bounds_of_the_degraded_alarm_are_changed_one_by_one():
    bounds = bounds_from(PollerSettings(poller_degraded="loss_percent=8, windows_good=5").poller_degraded)
    assert (bounds.loss_percent, bounds.windows_good, bounds.jitter_ms) == (8.0, 5, 30.0)
