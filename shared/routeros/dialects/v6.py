"""RouterOS 6 (6.43 to 6.49)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from shared.routeros.dates import month_name_date, time_of_day
from shared.routeros.dialects.dialect import HealthReading, Line, SharedRules, UserManagerMenu
from shared.routeros.reply import Row
from shared.routeros.version import RouterVersion


class RouterOs6(SharedRules):
    """6.49 prints `mmm/dd/yyyy`, health as one row, and keeps the User Manager below `/tool`."""

    line = Line.V6
    iso_dates = False
    empty_sentence = False
    netwatch_types: frozenset[str] = frozenset()
    netwatch_has_name = False
    ppp_active_has_counters = True
    user_manager = UserManagerMenu(
        root="/tool/user-manager",
        user_name="username",
        router_address="ip-address",
        starts_field="starts-at",
        starts_at_once="now",
        starts_at_first_login="logon",
        unlimited_validity="0s",
        customer_needed=True,
        assign_command="/tool/user-manager/user/create-and-activate-profile",
        session_user_address="user-ip",
        session_started="from-time",
        session_ended="till-time",
    )

    def __init__(self, version: RouterVersion) -> None:
        self.version = version

    def hides_secrets(self, path: str) -> bool:  # noqa: ARG002 - 6 shows them to users with policy `sensitive`
        return False

    def write_date(self, day: date) -> str:
        return month_name_date(day)

    def write_moment(self, moment: datetime) -> str:
        return f"{month_name_date(moment)} {time_of_day(moment)}"

    def read_health(self, rows: Sequence[Row]) -> list[HealthReading]:
        """One row without `.id`; the property's name tells the unit."""
        return [
            HealthReading(name, value, _unit(name))
            for row in rows
            for name, value in row.items()
            if not name.startswith(".") and name != "state-after-reboot"
        ]


def _unit(name: str) -> str:
    for ending, unit in (("temperature", "C"), ("voltage", "V"), ("current", "A"), ("consumption", "W")):
        if name.endswith(ending):
            return unit
    return "RPM" if name.startswith("fan") and name.endswith("-speed") else ""
