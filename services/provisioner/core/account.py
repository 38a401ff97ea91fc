"""An account as it must be and as a router shows it, and the steps from one to the other.

Applying the steps twice changes nothing: a second look finds nothing to do, except that sessions of an account which
may not be on line are closed whenever there are any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.contracts.desired import DesiredAccount
from shared.contracts.vocabulary import AccountStatus, Service
from shared.security.secret import Secret

Row = Mapping[str, str]

ACCOUNT_MENU = {Service.HOTSPOT: "/ip/hotspot/user", Service.PPP: "/ppp/secret"}
PROFILE_MENU = {Service.HOTSPOT: "/ip/hotspot/user/profile", Service.PPP: "/ppp/profile"}
ROW_FIELDS = (".id", "name", "password", "profile", "disabled", "comment")
_HIDDEN = "password"


@dataclass(frozen=True, slots=True)
class WantedAccount:
    """What the router shall have. `password` stays wrapped until it is written."""

    service: Service
    name: str
    password: Secret
    profile: str
    status: AccountStatus
    comment: str | None = None
    disconnect: bool = False

    @classmethod
    def of(cls, desired: DesiredAccount, password: Secret) -> WantedAccount:
        """The part of a desired state that concerns the router."""
        return cls(
            service=desired.service,
            name=desired.name,
            password=password,
            profile=desired.profile,
            status=desired.status,
            comment=desired.comment,
            disconnect=desired.disconnect,
        )

    def properties(self) -> dict[str, str]:
        """The row's properties as the router shall hold them."""
        properties = {
            "name": self.name,
            "password": self.password.reveal(),
            "profile": self.profile,
            "disabled": "yes" if self.status is AccountStatus.DISABLED else "no",
        }
        if self.comment is not None:
            properties["comment"] = self.comment
        return properties


@dataclass(frozen=True, slots=True)
class AddRow:
    """The account is missing."""

    properties: Mapping[str, str]

    def __str__(self) -> str:
        return f"add profile={self.properties['profile']}"


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """The account is there and differs in `properties`."""

    item: str
    properties: Mapping[str, str]

    def __str__(self) -> str:
        shown = (name if name == _HIDDEN else f"{name}={value}" for name, value in self.properties.items())
        return f"set {' '.join(shown)}"


@dataclass(frozen=True, slots=True)
class RemoveRow:
    """The account must go."""

    item: str

    def __str__(self) -> str:
        return "remove"


@dataclass(frozen=True, slots=True)
class CloseSessions:
    """Whoever is on line with this account has to leave: a running session keeps its old rights."""

    def __str__(self) -> str:
        return "disconnect session"


Step = AddRow | ChangeRow | RemoveRow | CloseSessions


def plan(wanted: WantedAccount, rows: Sequence[Row], *, close_owed: bool = False) -> tuple[Step, ...]:
    """The steps in the order that works: the account first, then its sessions, or a client is back with old rights.

    `rows` are all that carry the account's name. A hotspot may hold one per server, and each of them lets somebody in
    by that name: all are brought to the same state. `close_owed`: an earlier try changed the account and ended before
    it closed the sessions.
    """
    steps: list[Step] = []
    if wanted.status is AccountStatus.DELETED:
        steps += [RemoveRow(row[".id"]) for row in rows]
    elif not rows:
        steps.append(AddRow(wanted.properties()))
    else:
        steps += [ChangeRow(row[".id"], changed) for row in rows if (changed := differences(wanted, row))]
    if close_owed or must_close(wanted, rows):
        steps.append(CloseSessions())
    return tuple(steps)


def must_close(wanted: WantedAccount, rows: Sequence[Row]) -> bool:
    """Whether running sessions no longer fit: the account is off, or moves to another profile, or it was asked for."""
    moved = any(row.get("profile") != wanted.profile for row in rows)
    return wanted.status is not AccountStatus.ACTIVE or moved or wanted.disconnect


def differences(wanted: WantedAccount, row: Row) -> dict[str, str]:
    """The properties to write. A password that the router does not show is written: nobody can say that it is right."""
    return {name: value for name, value in wanted.properties().items() if not _same(name, value, row.get(name))}


def not_kept(wanted: WantedAccount, rows: Sequence[Row]) -> tuple[str, ...]:
    """The properties that the router shows otherwise after writing; empty when all is as wanted."""
    if (wanted.status is AccountStatus.DELETED) == bool(rows):
        return ("the account",)
    if wanted.status is AccountStatus.DELETED:
        return ()
    strays = {name for row in rows for name in differences(wanted, row) if not (name == _HIDDEN and name not in row)}
    return tuple(name for name in ROW_FIELDS if name in strays)


def shadowing_profiles(profile: str, present: Sequence[str]) -> tuple[str, ...]:
    """Profiles that a router would silently take for `profile`: it matches references by the beginning of a name."""
    return () if profile in present else tuple(name for name in present if name.startswith(profile))


def _same(name: str, wanted: str, shown: str | None) -> bool:
    if name == "disabled":
        return (wanted == "yes") == (shown in ("true", "yes"))
    if name == "comment" and wanted == "":
        return not shown
    return shown == wanted
