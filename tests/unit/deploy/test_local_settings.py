"""Settings are refused before anything is started."""

from __future__ import annotations

import os

import pytest

from deploy.local.settings_check import check_settings
from shared.errors import Misconfigured


def test_nothing_set_is_well() -> None:
    check_settings({})


def test_every_fault_is_named_once_and_the_environment_is_as_before() -> None:
    before = dict(os.environ)
    with pytest.raises(Misconfigured) as wrong:
        check_settings({"RONDA_LOG_LEVEL": "loud", "RONDA_TIME_ZONE": "Asia/Nowhere", "RONDA_POLLER_LATE_AFTER_S": "0"})
    said = str(wrong.value).splitlines()
    assert said[0].startswith("3 setting(s)")
    for variable in ("RONDA_LOG_LEVEL", "RONDA_TIME_ZONE", "RONDA_POLLER_LATE_AFTER_S"):
        assert len([line for line in said if variable in line]) == 1
    assert dict(os.environ) == before


def test_a_secret_that_is_wrong_is_not_repeated() -> None:
    with pytest.raises(Misconfigured) as wrong:
        check_settings({"RONDA_SEAL_KEYS": "not-a-key-but-secret"})
    assert "not-a-key-but-secret" not in str(wrong.value)
