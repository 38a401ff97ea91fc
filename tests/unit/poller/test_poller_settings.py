"""What the poller is told from outside."""

from __future__ import annotations

import pytest

from services.poller.adapters.icmp import IcmpProbe
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
