"""asyncpg's errors in our words.

What is not listed (a syntax error, a missing table) is our own bug and passes as it is. Messages name the constraint
and never the row: PostgreSQL's DETAIL repeats values, which may be subscribers' data.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from shared.errors import Busy, Conflict, DeadlineExceeded, Invalid, Misconfigured, NotAllowed, RondaError, Unreachable

_AWAY = (
    asyncpg.PostgresConnectionError,  # class 08
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,  # it is starting up or recovering
    asyncpg.InternalClientError,  # a connection that broke while asyncpg was setting it up
    ConnectionError,
    OSError,
)
_LATE = (TimeoutError, asyncio.TimeoutError, asyncpg.QueryCanceledError, asyncpg.IdleInTransactionSessionTimeoutError)
_BUSY = (
    asyncpg.TooManyConnectionsError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.DiskFullError,
)
_TAKEN = (asyncpg.UniqueViolationError, asyncpg.ForeignKeyViolationError, asyncpg.ExclusionViolationError)
_WRONG = (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError)
_FORBIDDEN = (asyncpg.InsufficientPrivilegeError, asyncpg.InvalidAuthorizationSpecificationError)


CONNECTION_GONE = (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What closing, releasing or rolling back may raise on a connection that is broken already."""


@contextmanager
def translated() -> Iterator[None]:
    """Raise our error `from` asyncpg's."""
    try:
        yield
    except Exception as error:
        ours = translate(error)
        if ours is None:
            raise
        raise ours from error


def translate(error: Exception) -> RondaError | None:
    """Our error for one of asyncpg's or the operating system's; None where it is neither."""
    if isinstance(error, RondaError):
        return None
    if isinstance(error, _LATE):  # before _AWAY: TimeoutError is an OSError
        return DeadlineExceeded("the database did not answer in time")
    if isinstance(error, _AWAY):
        return Unreachable(f"the database does not answer ({type(error).__name__})")
    if isinstance(error, asyncpg.InterfaceError):
        return _interface(error)
    if isinstance(error, _BUSY):
        return Busy(f"the database is busy ({type(error).__name__})")
    if isinstance(error, _TAKEN):
        return Conflict(f"another row stands in the way ({error.constraint_name})")
    if isinstance(error, asyncpg.InvalidCatalogNameError):
        return Misconfigured("the database of that name does not exist on the server")
    if isinstance(error, _FORBIDDEN):
        return NotAllowed(f"the database refuses this user ({type(error).__name__})")
    if isinstance(error, _WRONG):
        return Invalid(f"the database refuses the value ({getattr(error, 'constraint_name', None) or error.sqlstate})")
    return None


def _interface(error: Exception) -> RondaError | None:
    """asyncpg tells a lost connection and a wrong call by the same class; only the text differs."""
    text = str(error)
    if "closed" in text or "closing" in text or "released back" in text:
        return Unreachable("the connection to the database was lost")
    return None
