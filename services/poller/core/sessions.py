"""From rows of a router's active table to sessions that opened and closed.

A slot is a row's `.id`; the router gives it to another session later. What was seen happening is told with its time;
what is found by comparison after a blind time is marked inferred. Absence counts only in a table that was really read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

ADDRESS_PATIENCE = timedelta(seconds=1)  # a PPP row comes first without its address; it is told without after this
_SAME_START = timedelta(seconds=15)  # routers print uptime in whole seconds, and a slow table is old when it is read
_FRESH = timedelta(seconds=10)  # older byte counters are not the session's last ones


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


@dataclass(frozen=True, slots=True)
class Session:
    """An open session. `number` makes its id with the slot; `started_at` is the router's word, by its uptime."""

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


@dataclass(frozen=True, slots=True)
class Opened:
    """A subscriber is on line since `at`."""

    session: Session
    at: datetime
    inferred: bool


@dataclass(frozen=True, slots=True)
class Changed:
    """Nothing to tell, but more is known of the session now."""

    session: Session


@dataclass(frozen=True, slots=True)
class Closed:
    """A session ended at `at`, or (inferred) some time before."""

    session: Session
    at: datetime
    inferred: bool

    @property
    def duration_s(self) -> float:
        """How long it lasted as far as we know, in seconds."""
        return max(0.0, (self.at - self.session.opened_at).total_seconds())

    @property
    def counters(self) -> tuple[int | None, int | None]:
        """Bytes from and to the subscriber, if they were read shortly before the end."""
        counted_at = self.session.counted_at
        if counted_at is None or self.at - counted_at > _FRESH:
            return None, None
        return self.session.bytes_in, self.session.bytes_out


SessionFact = Opened | Changed | Closed


class SessionBook:
    """The open sessions of one service on one router."""

    def __init__(self, known: Iterable[Session] = ()) -> None:
        self._open: dict[str, Session] = {session.slot: session for session in known}
        self._waiting: dict[str, tuple[Seen, datetime]] = {}  # rows without an address yet, and when they came
        self._ended: dict[str, datetime] = {}  # rows that went since the last whole table
        self._last_number = max((session.number for session in self._open.values()), default=0)

    def __len__(self) -> int:
        return len(self._open)

    def sessions(self) -> list[Session]:
        """The open sessions."""
        return list(self._open.values())

    def seen(self, row: Seen, now: datetime) -> list[SessionFact]:
        """A row was added or changed, just now."""
        known = self._open.get(row.slot)
        if known is None:
            return self._came(row, now)
        if _other(known, row):
            return [self._close(known, now, inferred=True), *self._came(row, now)]
        return self._learn(known, row, now)

    def gone(self, slot: str, now: datetime) -> list[SessionFact]:
        """A row was removed, just now. One that never had time to be told is told first."""
        facts: list[SessionFact] = []
        self._ended[slot] = now
        if slot in self._waiting:
            row, came = self._waiting.pop(slot)
            facts.append(self._start(row, now, at=came, inferred=False))
        if slot in self._open:
            facts.append(self._close(self._open[slot], now, inferred=False))
        return facts

    def ripe(self, now: datetime) -> list[SessionFact]:
        """Rows that have waited long enough for their address."""
        due = [row for row, came in self._waiting.values() if now - came >= ADDRESS_PATIENCE]
        return [self._start(row, now, at=self._waiting.pop(row.slot)[1], inferred=False) for row in due]

    def ripe_at(self) -> datetime | None:
        """When the next row will have waited long enough."""
        return min((came for _, came in self._waiting.values()), default=None)

    def compare(self, rows: Iterable[Seen], now: datetime, *, asked_at: datetime) -> list[SessionFact]:
        """The whole table was read: tell the differences to what is known, as inferred.

        The table may be as old as the question: what was seen happening after `asked_at` counts more.
        """
        present = {row.slot: row for row in rows if self._ended.get(row.slot, asked_at) <= asked_at}
        self._ended.clear()
        ended = [
            session for slot, session in self._open.items() if slot not in present and session.opened_at < asked_at
        ]
        facts: list[SessionFact] = [self._close(session, now, inferred=True) for session in ended]
        for slot in [slot for slot, (_, came) in self._waiting.items() if slot not in present and came < asked_at]:
            del self._waiting[slot]
        for row in present.values():
            known = self._open.get(row.slot)
            if known is not None and not _other(known, row) and not _began_later(known, row, asked_at):
                facts += self._learn(known, row, now)
            elif row.slot not in self._waiting or row.address:
                if known is not None:
                    facts.append(self._close(known, now, inferred=True))
                self._waiting.pop(row.slot, None)
                facts.append(self._start(row, now, at=now - (row.uptime or timedelta()), inferred=True))
        return facts

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _came(self, row: Seen, now: datetime) -> list[SessionFact]:
        if row.address is None:
            _, came = self._waiting.get(row.slot, (row, now))
            self._waiting[row.slot] = (row, came)
            return []
        _, came = self._waiting.pop(row.slot, (row, now))
        return [self._start(row, now, at=came, inferred=False)]

    def _start(self, row: Seen, now: datetime, *, at: datetime, inferred: bool) -> Opened:
        # Seconds since 1970 let numbers grow without remembering closed sessions.
        self._last_number = number = max(int(now.timestamp()), self._last_number + 1)
        session = Session(row.slot, number, row.account, at)
        self._open[row.slot] = session = _with(session, row, now)
        return Opened(session, at, inferred)

    def _learn(self, known: Session, row: Seen, now: datetime) -> list[SessionFact]:
        session = self._open[row.slot] = _with(known, row, now)
        said = (known.address, known.mac, known.mark) == (session.address, session.mac, session.mark)
        return [] if said else [Changed(session)]

    def _close(self, session: Session, now: datetime, *, inferred: bool) -> Closed:
        del self._open[session.slot]
        return Closed(session, now, inferred)


def _with(session: Session, row: Seen, now: datetime) -> Session:
    counted = row.bytes_in is not None or row.bytes_out is not None
    return replace(
        session,
        address=row.address or session.address,
        mac=row.mac or session.mac,
        mark=row.mark or session.mark,
        started_at=session.started_at or (None if row.uptime is None else now - row.uptime),
        bytes_in=row.bytes_in if counted else session.bytes_in,
        bytes_out=row.bytes_out if counted else session.bytes_out,
        counted_at=now if counted else session.counted_at,
    )


def _other(known: Session, row: Seen) -> bool:
    """Whether the slot now holds another session."""
    if known.account != row.account:
        return True
    pairs = ((known.mark, row.mark), (known.mac, row.mac))
    return any(before is not None and now is not None and before != now for before, now in pairs)


def _began_later(known: Session, row: Seen, asked_at: datetime) -> bool:
    """Whether the row's uptime says that this is a newer session of the same subscriber.

    Also with the same `mark`: a router that was restarted numbers its sessions anew.
    """
    if row.uptime is None:
        return False
    return asked_at - row.uptime > (known.started_at or known.opened_at) + _SAME_START
