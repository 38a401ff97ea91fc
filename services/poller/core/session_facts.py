"""What is known of a subscriber's session, and what can become of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

_FRESH = timedelta(seconds=10)  # counters that are older than this are told with the time they were read


@dataclass(frozen=True, slots=True)
class Seen:
    """A row as it was read. `mark` is the router's own session number where it has one."""

    slot: str
    account: str
    address: str | None = None
    mac: str | None = None
    mark: str | None = None
    uptime: timedelta | None = None
    bytes_in: int | None = None
    bytes_out: int | None = None
    server: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """An open session. `number` makes its id with the slot; `started_at` is the router's word, by its uptime.

    `row` is where the router's table has it: None if no table has shown it yet (a script told it). `line` is the
    router's number for a PPP line, as its scripts say it.
    """

    slot: str
    number: int
    account: str
    opened_at: datetime
    address: str | None = None
    mac: str | None = None
    mark: str | None = None
    started_at: datetime | None = None
    bytes_in: int | None = None
    bytes_out: int | None = None
    counted_at: datetime | None = None
    server: str | None = None
    row: str | None = None
    line: str | None = None
    changes: int = 0


@dataclass(frozen=True, slots=True)
class Said:
    """What a router's own script said of a session. Whatever it does not know is None."""

    account: str
    address: str | None = None
    mac: str | None = None
    line: str | None = None
    reason: str | None = None
    duration: timedelta | None = None
    bytes_in: int | None = None
    bytes_out: int | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A subscriber is on line since `at`."""

    session: Session
    at: datetime
    inferred: bool


@dataclass(frozen=True, slots=True)
class Learnt:
    """Nothing to tell, but more is known of the session now."""

    session: Session


@dataclass(frozen=True, slots=True)
class Changed:
    """The session stays, with another address or device than before. What did not change is None before."""

    session: Session
    at: datetime
    address_before: str | None
    mac_before: str | None
    inferred: bool


@dataclass(frozen=True, slots=True)
class Closed:
    """A session ended at `at`, or (inferred) some time before. `said`: what the router said of the end."""

    session: Session
    at: datetime
    inferred: bool
    said: Said | None = None

    @property
    def duration_s(self) -> float:
        """How long it lasted as far as we know, in seconds."""
        if self.said is not None and self.said.duration is not None:
            return self.said.duration.total_seconds()
        return max(0.0, (self.at - self.session.opened_at).total_seconds())

    @property
    def counters(self) -> tuple[int | None, int | None, datetime | None]:
        """Bytes from and to the subscriber, and when they were read unless that was at the end."""
        said, session = self.said, self.session
        if said is not None and (said.bytes_in is not None or said.bytes_out is not None):
            return said.bytes_in, said.bytes_out, None
        counted_at = session.counted_at
        if counted_at is None:
            return None, None, None
        return session.bytes_in, session.bytes_out, None if self.at - counted_at <= _FRESH else counted_at


SessionFact = Opened | Learnt | Changed | Closed
