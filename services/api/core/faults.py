"""What the api refuses, with codes of its own: each is stable, public, and has one HTTP status in `routes.problems`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.errors import Busy, Conflict, Invalid, NotAllowed


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a request: where, which kind, and what to do."""

    field: str
    code: str
    message: str


class Faulty(Invalid):
    """The payload does not hold together; every fault is listed at once."""

    code = "validation_failed"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(" ".join(fault.message for fault in faults))
        self.faults = tuple(faults)


class RenameNotSupported(Invalid):
    """An account is its name on its router; a new name is a new account."""

    code = "rename_not_supported"


class NameTaken(Conflict):
    code = "name_taken"


class StillInUse(Conflict):
    code = "still_in_use"


class Shipped(Conflict):
    """What ships with the product may be overridden and not removed."""

    code = "shipped"


class ChangedMeanwhile(Conflict):
    """If-Match named another generation than the one that is there."""

    code = "changed_meanwhile"


class KeyReused(Conflict):
    """The same Idempotency-Key came with a different request."""

    code = "idempotency_key_reused"


class NotAuthenticated(NotAllowed):
    code = "not_authenticated"


class CsrfFailed(NotAllowed):
    code = "csrf_failed"


class TooManyAttempts(Busy):
    code = "too_many_attempts"


def refuse_if(faults: Sequence[Fault]) -> None:
    """Raise all faults together, if there are any."""
    if faults:
        raise Faulty(faults)
