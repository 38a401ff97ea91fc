"""The simulated hour, smaller: the rules hold, and the simulation would notice if they did not."""

from __future__ import annotations

import pytest

from bench.false_alarms import HASTY, judge_hour
from shared.contracts.inventory import PROBE_POLICIES


@pytest.mark.parametrize("policy", PROBE_POLICIES.values(), ids=lambda policy: policy.name)
def test_shaky_network_makes_no_false_alarm(policy):
    hour = judge_hour(policy, hosts=400, length_s=3600)
    assert hour.suspicions > 200
    assert hour.alarms == 0


def test_hasty_burst_would_make_false_alarms():
    hasty = PROBE_POLICIES["infra"].model_copy(update=HASTY)
    assert judge_hour(hasty, hosts=400, length_s=3600).alarms > 50
