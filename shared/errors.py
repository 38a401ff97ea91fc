"""Everything that can go wrong, as one tree.

    RondaError
    ├── Temporary                  worth trying again; `retry_after` says when, if the other side said so
    │   ├── Unreachable            a router, server or chat service does not answer
    │   ├── DeadlineExceeded       it answered too late
    │   └── Busy                   it asks us to slow down
    ├── Refused                    will fail the same way next time
    │   ├── Invalid                the input is wrong; the text says what to do
    │   ├── NotFound
    │   ├── Conflict               somebody else changed it first, or the name is taken
    │   ├── NotAllowed             credentials or rights
    │   └── Rejected               the other side said no, in its own words
    └── Misconfigured              the operator has to change a setting

Adapters raise these `from` the library's own error; the message consumer and the HTTP layer decide by
`retryable` and `code` alone.
"""

from __future__ import annotations

from typing import ClassVar


class RondaError(Exception):
    """Root of all expected failures. `code` is stable and public; `str(error)` may be shown to a person."""

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False


class Temporary(RondaError):
    """May succeed later. `retry_after` is in seconds where the other side named a delay."""

    code = "temporary"
    retryable = True

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unreachable(Temporary):
    code = "unreachable"


class DeadlineExceeded(Temporary):
    code = "deadline_exceeded"


class Busy(Temporary):
    code = "busy"


class Refused(RondaError):
    """Will not succeed unchanged."""

    code = "refused"


class Invalid(Refused):
    code = "invalid"


class NotFound(Refused):
    code = "not_found"


class Conflict(Refused):
    code = "conflict"


class NotAllowed(Refused):
    code = "not_allowed"


class Rejected(Refused):
    """The other side refused; `words` are its own, kept for people and logs."""

    code = "rejected"

    def __init__(self, message: str, *, words: str | None = None) -> None:
        super().__init__(message)
        self.words = words if words is not None else message


class Misconfigured(RondaError):
    code = "misconfigured"
