"""What a person should look at first."""

from __future__ import annotations

import pytest

from services.poller.core.causes import Surroundings, likely_causes
from services.poller.core.sentinels import Sentinels
from shared.contracts.vocabulary import LikelyCause, ProbeFailure


@pytest.mark.parametrize(
    ("failure", "around", "first"),
    [
        pytest.param(ProbeFailure.TIMEOUT, Surroundings(), LikelyCause.CABLE_CUT, id="alone"),
        pytest.param(ProbeFailure.TIMEOUT, Surroundings(cut_off=True), LikelyCause.PARENT_DOWN, id="behind-a-parent"),
        pytest.param(ProbeFailure.REFUSED, Surroundings(), LikelyCause.SERVICE_STOPPED, id="port-closed"),
        pytest.param(ProbeFailure.NAME_NOT_RESOLVED, Surroundings(), LikelyCause.INTERNET_DOWN, id="no-name"),
        pytest.param(ProbeFailure.UNREACHABLE, Surroundings(), LikelyCause.CABLE_CUT, id="a-router-says-no"),
    ],
)
def test_likeliest_cause(failure, around, first):
    assert likely_causes(failure, around)[0] is first


def test_dark_site_points_to_its_way_in_and_not_to_the_device():
    causes = likely_causes(ProbeFailure.TIMEOUT, Surroundings(neighbours=4, neighbours_down=3))
    assert LikelyCause.INTERNET_DOWN in causes
    assert LikelyCause.DEVICE_ERROR not in causes


def test_lonely_failure_names_the_device():
    causes = likely_causes(ProbeFailure.TIMEOUT, Surroundings(neighbours=4, neighbours_down=1))
    assert {LikelyCause.DEVICE_OFF, LikelyCause.DEVICE_ERROR} <= set(causes)


def test_sentinels_vouch_only_with_an_answer_to_a_later_question():
    sentinels = Sentinels(("10.0.0.1", "9.9.9.9"))
    assert not sentinels.vouch(0.0)
    sentinels.answered("9.9.9.9", 10.0)
    assert sentinels.vouch(9.9)
    assert not sentinels.vouch(10.0)


def test_without_sentinels_every_result_counts():
    assert Sentinels(()).vouch(1e9)
