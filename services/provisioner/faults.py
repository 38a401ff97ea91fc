"""What can go wrong on the way to a router, besides `shared.errors`."""

from __future__ import annotations

from shared.errors import Refused, Rejected, Temporary


class RouterAway(Temporary):
    """The router cannot be asked now; what is desired of it waits in the stream."""

    code = "router_away"


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
