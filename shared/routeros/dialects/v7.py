"""RouterOS 7, with the versions at which its own habits changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from shared.routeros.dates import iso_date, month_name_date, time_of_day
from shared.routeros.dialects.dialect import HealthReading, Line, SharedRules, UserManagerMenu
from shared.routeros.reply import Row
from shared.routeros.version import RouterVersion

# Menus whose print has `show-sensitive` in the 7.24 command tree and had not in 7.20.8.
_SECRET_MENUS = frozenset(
    {
        "/ppp/secret",
        "/ip/hotspot/user",
        "/ip/hotspot/profile",
        "/user",
        "/radius",
        "/user-manager/user",
        "/user-manager/router",
        "/user-manager/advanced",
    }
)


class RouterOs7(SharedRules):
    """7.10 changed dates to ISO, 7.18 announces empty prints, 7.21 hides secrets unless asked."""

    line = Line.V7
    ppp_active_has_counters = False
    user_manager = UserManagerMenu(
        root="/user-manager",
        user_name="name",
        router_address="address",
        starts_field="starts-when",
        starts_at_once="assigned",
        starts_at_first_login="first-auth",
        unlimited_validity="unlimited",
        customer_needed=False,
        assign_command="/user-manager/user-profile/add",
        session_user_address="user-address",
        session_started="started",
        session_ended="ended",
        close_session_command="/user-manager/session/close-session",
    )

    def __init__(self, version: RouterVersion) -> None:
        self.version = version
        self.iso_dates = version.reaches(7, 10)
        self.empty_sentence = version.reaches(7, 18)
        self.netwatch_types = _netwatch_types(version)
        self.netwatch_has_name = version.reaches(7, 9)

    def hides_secrets(self, path: str) -> bool:
        return self.version.reaches(7, 21) and path in _SECRET_MENUS

    def write_date(self, day: date) -> str:
        return iso_date(day) if self.iso_dates else month_name_date(day)

    def write_moment(self, moment: datetime) -> str:
        return f"{self.write_date(moment)} {time_of_day(moment)}"

    def read_health(self, rows: Sequence[Row]) -> list[HealthReading]:
        """A list of name, value, type; a CHR has a single row without sensors instead."""
        return [
            HealthReading(row["name"], row["value"], row.get("type", ""))
            for row in rows
            if "name" in row and "value" in row
        ]


def _netwatch_types(version: RouterVersion) -> frozenset[str]:
    if not version.reaches(7, 4):
        return frozenset()
    types = {"simple", "icmp", "tcp-conn", "http-get"}
    if version.reaches(7, 9):
        types.add("https-get")
    if version.reaches(7, 16):
        types.add("dns")
    return frozenset(types)
