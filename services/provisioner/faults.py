"""What can go wrong on the way to a router, besides `shared.errors`."""

from __future__ import annotations

from typing import ClassVar

from shared.errors import Refused, Rejected, Unreachable


class RouterAway(Unreachable):
    """There is no session to the router now. Raised only if a new one will be announced (`Routers.returned`)."""

    code: ClassVar[str] = Unreachable.code


class ProfileMissing(Rejected):
    """The router has no such profile. `advice` names those it has."""

    code = "profile_missing"

    def __init__(self, words: str, *, advice: str) -> None:
        super().__init__(words)
        self.advice = advice


class NotKept(Rejected):
    """The router took a change and shows something else."""

    code = "not_kept"


class SealedShut(Refused):
    """The account's password cannot be opened with our keys."""

    code = "sealed"
