"""The interface of a RouterOS line, and what all lines share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Protocol

from shared.errors import Invalid
from shared.routeros.dates import parse_moment
from shared.routeros.durations import format_duration, optional_duration, parse_duration
from shared.routeros.reply import Row
from shared.routeros.version import RouterVersion


class Line(Enum):
    """A RouterOS line."""

    V6 = "6"
    V7 = "7"


@dataclass(frozen=True)
class HealthReading:
    """One sensor: `name` as the router spells it, `unit` one of C V A W RPM % or empty for a state."""

    name: str
    value: str
    unit: str


@dataclass(frozen=True)
class UserManagerMenu:
    """Paths and field names of the User Manager. Paths carry no verb."""

    root: str
    user_name: str
    """The field that names a user: `username` on 6, `name` on 7."""
    router_address: str
    """The field of a router (NAS) row that holds its address."""
    starts_field: str
    """The field of a profile that says when validity starts."""
    starts_at_once: str
    starts_at_first_login: str
    unlimited_validity: str
    customer_needed: bool
    """Rows belong to a customer (`admin`), which every add must name."""
    assign_command: str
    """The whole command that gives a user a profile."""
    session_user_address: str
    session_started: str
    session_ended: str
    session_active_query: tuple[str, str] = ("active", "true")
    close_session_command: str | None = None
    """Ends a session at its NAS; None where only the NAS itself can."""

    @property
    def user(self) -> str:
        return f"{self.root}/user"

    @property
    def profile(self) -> str:
        return f"{self.root}/profile"

    @property
    def session(self) -> str:
        return f"{self.root}/session"

    @property
    def router(self) -> str:
        return f"{self.root}/router"

    @property
    def limitation(self) -> str:
        return f"{self.root}/limitation" if not self.customer_needed else f"{self.root}/profile/limitation"

    @property
    def profile_limitation(self) -> str:
        inner = "profile/profile-limitation" if self.customer_needed else "profile-limitation"
        return f"{self.root}/{inner}"


class Dialect(Protocol):
    """One RouterOS line at one version."""

    version: RouterVersion
    line: Line
    user_manager: UserManagerMenu
    netwatch_types: frozenset[str]
    """Probe types of netwatch; empty where it knows only a plain ping and has no `type` field."""
    netwatch_has_name: bool
    empty_sentence: bool
    """Whether a print without rows is announced by `!empty`."""
    ppp_active_has_counters: bool
    """Whether rows of `/ppp/active` may carry bytes; otherwise see the interface `<pppoe-NAME>`."""
    iso_dates: bool

    def hides_secrets(self, path: str) -> bool:
        """Whether a print of this menu leaves passwords out unless `show-sensitive` is given."""
        ...

    def read_moment(self, text: str, today: date | None = None) -> datetime:
        """A date with or without time, naive, on the router's clock. Raises Invalid."""
        ...

    def write_moment(self, moment: datetime) -> str:
        """As this version prints it."""
        ...

    def write_date(self, day: date) -> str:
        """As this version prints it."""
        ...

    def read_duration(self, text: str | None) -> timedelta | None:
        """None for absent and for words like `none`, `never`, `unlimited`. Raises Invalid."""
        ...

    def write_duration(self, length: timedelta) -> str:
        """The normal form."""
        ...

    def read_flag(self, text: str | None) -> bool:
        """`true`/`yes` or `false`/`no`; an absent flag is false. Raises Invalid for other words."""
        ...

    def write_flag(self, flag: bool) -> str:
        """`yes` or `no`: what every version accepts as input."""
        ...

    def read_health(self, rows: Sequence[Row]) -> list[HealthReading]:
        """Sensors of `/system/health`; empty where the board has none."""
        ...


class SharedRules:
    """What every line reads and writes alike. Reading is generous: both date forms, both flag spellings."""

    version: RouterVersion
    iso_dates: bool

    def read_moment(self, text: str, today: date | None = None) -> datetime:
        return parse_moment(text, today)

    def read_duration(self, text: str | None) -> timedelta | None:
        return optional_duration(text)

    def write_duration(self, length: timedelta) -> str:
        return format_duration(length)

    def read_flag(self, text: str | None) -> bool:
        if text in {"true", "yes"}:
            return True
        if text in {None, "false", "no"}:
            return False
        raise Invalid(f"not a RouterOS flag: {text!r}")

    def write_flag(self, flag: bool) -> str:
        return "yes" if flag else "no"


def unlimited(length: str | None) -> bool:
    """Whether a validity means no end: `unlimited` on 7, `0s` on 6, or absent."""
    return length is None or length == "unlimited" or parse_duration(length) == timedelta()


Attributes = Mapping[str, str]
