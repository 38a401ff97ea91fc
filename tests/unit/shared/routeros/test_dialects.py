"""What differs between RouterOS lines and versions."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from shared.errors import Invalid
from shared.routeros import Dialect, HealthReading, Line, RouterVersion, dialect_for
from shared.routeros.dialects.dialect import unlimited


def at(version: str) -> Dialect:
    return dialect_for(RouterVersion.parse(version))


@pytest.mark.parametrize(
    ("version", "line", "day", "empty", "hides"),
    [
        ("6.49.18", Line.V6, "jul/14/2023", False, False),
        ("7.8", Line.V7, "jul/14/2023", False, False),
        ("7.10rc1", Line.V7, "2023-07-14", False, False),
        ("7.18", Line.V7, "2023-07-14", True, False),
        ("7.24.1", Line.V7, "2023-07-14", True, True),
    ],
)
def test_what_changes_with_the_version(version: str, line: Line, day: str, empty: bool, hides: bool):
    dialect = at(version)
    assert dialect.line is line
    assert dialect.write_date(date(2023, 7, 14)) == day
    assert dialect.write_moment(datetime.fromisoformat("2023-07-14T01:02:03")) == f"{day} 01:02:03"
    assert dialect.empty_sentence is empty
    assert dialect.hides_secrets("/ppp/secret") is hides
    assert not dialect.hides_secrets("/ppp/active")


def test_user_manager_moved_and_renamed_its_fields():
    six, seven = at("6.49.10").user_manager, at("7.16").user_manager
    assert (six.user, six.user_name, six.customer_needed) == ("/tool/user-manager/user", "username", True)
    assert (seven.user, seven.user_name, seven.customer_needed) == ("/user-manager/user", "name", False)
    assert six.limitation == "/tool/user-manager/profile/limitation"
    assert seven.limitation == "/user-manager/limitation"
    assert six.profile_limitation == "/tool/user-manager/profile/profile-limitation"
    assert seven.profile_limitation == "/user-manager/profile-limitation"
    assert six.assign_command.endswith("create-and-activate-profile")
    assert six.close_session_command is None
    assert seven.close_session_command == "/user-manager/session/close-session"


def test_health_is_one_row_on_6_and_a_list_on_7():
    six = at("6.49").read_health([{"voltage": "24.1", "cpu-temperature": "41", "fan1-speed": "3000"}])
    assert six == [
        HealthReading("voltage", "24.1", "V"),
        HealthReading("cpu-temperature", "41", "C"),
        HealthReading("fan1-speed", "3000", "RPM"),
    ]
    seven = at("7.16").read_health([{".id": "*1", "name": "voltage", "value": "24.1", "type": "V"}])
    assert seven == [HealthReading("voltage", "24.1", "V")]


@pytest.mark.parametrize("version", ["6.49", "7.16"])
def test_a_virtual_router_has_no_sensors(version: str):
    assert at(version).read_health([{"state-after-reboot": "disabled"}]) == []
    assert at(version).read_health([]) == []


def test_netwatch_learns_new_probes():
    assert at("6.49").netwatch_types == at("7.2").netwatch_types == frozenset()
    assert "icmp" in at("7.4").netwatch_types
    assert "dns" not in at("7.15").netwatch_types
    assert "dns" in at("7.16").netwatch_types


@pytest.mark.parametrize(
    ("text", "flag"), [("true", True), ("yes", True), ("false", False), ("no", False), (None, False)]
)
def test_both_spellings_of_a_flag_are_read(text: str | None, flag: bool):
    assert at("6.49").read_flag(text) is flag


def test_other_words_are_no_flag():
    with pytest.raises(Invalid):
        at("7.16").read_flag("required")
    assert (at("7.16").write_flag(True), at("6.49").write_flag(False)) == ("yes", "no")


def test_durations_pass_through_the_dialect():
    assert at("7.16").read_duration("1d2h") == timedelta(days=1, hours=2)
    assert at("7.16").read_duration("none") is None
    assert at("6.49").write_duration(timedelta(days=30)) == "4w2d"


@pytest.mark.parametrize(("text", "endless"), [(None, True), ("unlimited", True), ("0s", True), ("4w2d", False)])
def test_endless_validity_in_both_lines(text: str | None, endless: bool):
    assert unlimited(text) is endless
