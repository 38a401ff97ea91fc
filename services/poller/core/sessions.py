"""From rows of a router's active table to sessions that opened and closed.

A slot is a row's `.id`; the router gives it to another session later. What was seen happening is told with its time;
what is found by comparison after a blind time is marked inferred. Absence counts only in a table that was really read.
What scripts of the router say (`said_opened`, `said_closed`) meets the rows here, whichever comes first: one fact each.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from services.poller.core.session_facts import Changed, Closed, Learnt, Opened, Said, Seen, Session, SessionFact

__all__ = ["Changed", "Closed", "Learnt", "Opened", "Said", "Seen", "Session", "SessionBook", "SessionFact"]

ADDRESS_PATIENCE = timedelta(seconds=1)  # a PPP row comes first without its address; it is told without after this
_SAME_START = timedelta(seconds=15)  # routers print uptime in whole seconds, and a slow table is old when it is read
_SCRIPT_MAY_LAG = timedelta(seconds=30)  # a fetch waits up to this long for its turn and its answer
_ROW_MAY_LAG = timedelta(seconds=10)  # a script may run before the row of its session can be read
_JUST_OPENED = timedelta(seconds=2)  # a logout without its duration, this soon, may be of the session before


class SessionBook:
    """The open sessions of one service on one router."""

    def __init__(self, known: Iterable[Session] = ()) -> None:
        self._open: dict[str, Session] = {_place(session): session for session in known}
        self._unseen = {place for place, session in self._open.items() if session.row is None}  # told, not in a table
        self._waiting: dict[str, tuple[Seen, datetime]] = {}  # rows without an address yet, and when they came
        self._ended: dict[str, datetime] = {}  # rows that went since the last whole table
        self._quit: dict[str, Session] = {}  # told closed by a script, while the row may still be there
        self._last_number = max((session.number for session in self._open.values()), default=0)

    def __len__(self) -> int:
        return len(self._open)

    @property
    def awaits_rows(self) -> bool:
        """Whether scripts told sessions that no table has shown yet."""
        return bool(self._unseen)

    def sessions(self) -> list[Session]:
        """The open sessions."""
        return list(self._open.values())

    def seen(self, row: Seen, now: datetime) -> list[SessionFact]:
        """A row was added or changed, just now."""
        known = self._open.get(row.slot)
        if known is None:
            return [] if self._has_quit(row, now) else self._came(row, now)
        if _other(known, row):
            return [self._close(known, now, inferred=True), *self._came(row, now)]
        return self._learn(known, _with(known, row, now), now)

    def gone(self, slot: str, now: datetime) -> list[SessionFact]:
        """A row was removed, just now. One that never had time to be told is told first."""
        facts: list[SessionFact] = []
        self._ended[slot] = now
        self._quit.pop(slot, None)
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
        self._quit.clear()
        facts: list[SessionFact] = []
        for row in present.values():
            if row.slot not in self._open:
                self._adopt(row)
        for place, session in list(self._open.items()):
            grace = timedelta() if session.row else _ROW_MAY_LAG
            if place not in present and session.opened_at + grace < asked_at:
                facts.append(self._close(session, now, inferred=True))
        for slot in [slot for slot, (_, came) in self._waiting.items() if slot not in present and came < asked_at]:
            del self._waiting[slot]
        for row in present.values():
            facts += self._compared(row, now, asked_at)
        return facts

    def counted(self, slot: str, bytes_in: int, bytes_out: int, now: datetime) -> None:
        """The counters of a session that its own row does not show."""
        if (known := self._open.get(slot)) is not None:
            self._open[slot] = replace(known, bytes_in=bytes_in, bytes_out=bytes_out, counted_at=now)

    # ── what the router's scripts say ───────────────────────────────────────────────────────────────────────────────

    def said_opened(self, said: Said, now: datetime, *, slot: str, live: bool) -> list[SessionFact]:
        """A script says that somebody is on line. `slot`: where the row is or will be, or a name of its own.

        `live`: the table is followed just now, so that what it shows is not from before a blind time.
        """
        for row, came in list(self._waiting.values()):
            if row.account == said.account and _fits(row.mac, said.mac):
                del self._waiting[row.slot]
                opened = self._start(replace(row, address=said.address), now, at=came, inferred=False)
                return [replace(opened, session=self._put(_told_by(opened.session, said)))]
        known = self._matching(said)
        if known is not None and (live or now - known.opened_at <= _SCRIPT_MAY_LAG):
            return self._learn(known, _told_by(known, said), now)
        stale = known or self._open.get(slot)
        facts: list[SessionFact] = [] if stale is None else [self._close(stale, now, inferred=True)]
        opened = self._start(Seen(slot, said.account, said.address, said.mac), now, at=now, inferred=False)
        self._unseen.add(slot)
        return [*facts, replace(opened, session=self._put(replace(opened.session, row=None, line=said.line)))]

    def said_closed(self, said: Said, now: datetime, *, live: bool) -> list[SessionFact]:
        """A script says that somebody has left. Nothing follows if it speaks of an earlier session, or of none."""
        known = self._matching(said)
        if known is None:
            return []
        if said.duration is not None:
            earlier = now - said.duration + _SAME_START < known.opened_at
        else:
            earlier = said.line is None and now - known.opened_at < _JUST_OPENED
        if earlier:
            return []
        place = _place(known)
        self._ended[place] = now
        if live and known.row:
            self._quit[place] = known
        return [self._close(known, now, inferred=False, said=said)]

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _came(self, row: Seen, now: datetime) -> list[SessionFact]:
        if (adopted := self._adopt(row)) is not None:
            return self._learn(adopted, _with(adopted, row, now), now) or [Learnt(self._open[row.slot])]
        if row.address is None:
            _, came = self._waiting.get(row.slot, (row, now))
            self._waiting[row.slot] = (row, came)
            return []
        _, came = self._waiting.pop(row.slot, (row, now))
        return [self._start(row, now, at=came, inferred=False)]

    def _compared(self, row: Seen, now: datetime, asked_at: datetime) -> list[SessionFact]:
        known = self._open.get(row.slot)
        if known is not None and not _other(known, row) and not _began_later(known, row, asked_at):
            return self._learn(known, _with(known, row, now), now, inferred=True)
        if row.slot in self._waiting and not row.address:
            return []
        facts: list[SessionFact] = [] if known is None else [self._close(known, now, inferred=True)]
        self._waiting.pop(row.slot, None)
        return [*facts, self._start(row, now, at=now - (row.uptime or timedelta()), inferred=True)]

    def _adopt(self, row: Seen) -> Session | None:
        """The session that a script told and whose row this is: the row's place is its place from now on."""
        for place in self._unseen:
            session = self._open[place]
            same = session.account == row.account and _fits(session.mac, row.mac)
            if same and _fits(session.address, row.address):
                self._unseen.discard(place)
                del self._open[place]
                return self._put(replace(session, row=row.slot))
        return None

    def _has_quit(self, row: Seen, now: datetime) -> bool:
        """Whether a script told the end of this row's session, and the row only lingers."""
        known = self._quit.get(row.slot)
        return known is not None and not _other(known, row) and not _began_later(known, row, now)

    def _matching(self, said: Said) -> Session | None:
        fitting = [
            session
            for session in self._open.values()
            if session.account == said.account
            and _fits(session.address, said.address)
            and _fits(session.mac, said.mac)
            and _fits(session.line, said.line)
        ]
        return max(fitting, key=lambda session: session.opened_at, default=None)

    def _start(self, row: Seen, now: datetime, *, at: datetime, inferred: bool) -> Opened:
        # Seconds since 1970 let numbers grow without remembering closed sessions.
        self._last_number = number = max(int(now.timestamp()), self._last_number + 1)
        session = Session(row.slot, number, row.account, at)
        return Opened(self._put(_with(session, row, now)), at, inferred)

    def _learn(self, known: Session, session: Session, now: datetime, *, inferred: bool = False) -> list[SessionFact]:
        if session.row is not None:
            self._unseen.discard(session.slot)
        address, mac = _before(known.address, session.address), _before(known.mac, session.mac)
        if address is not None or mac is not None:
            session = self._put(replace(session, changes=known.changes + 1))
            return [Changed(session, now, address, mac, inferred)]
        self._put(session)
        return [] if _known_parts(known) == _known_parts(session) else [Learnt(session)]

    def _put(self, session: Session) -> Session:
        self._open[_place(session)] = session
        return session

    def _close(self, session: Session, now: datetime, *, inferred: bool, said: Said | None = None) -> Closed:
        del self._open[_place(session)]
        self._unseen.discard(_place(session))
        return Closed(session, now, inferred, said)


def _place(session: Session) -> str:
    return session.row or session.slot


def _told_by(session: Session, said: Said) -> Session:
    return replace(
        session,
        address=said.address or session.address,
        mac=said.mac or session.mac,
        line=said.line or session.line,
    )


def _fits(one: str | None, other: str | None) -> bool:
    return one is None or other is None or one == other


def _before(before: str | None, now: str | None) -> str | None:
    return before if before is not None and before != now else None


def _known_parts(session: Session) -> tuple[object, ...]:
    return session.address, session.mac, session.mark, session.row, session.line, session.server


def _with(session: Session, row: Seen, now: datetime) -> Session:
    counted = row.bytes_in is not None or row.bytes_out is not None
    return replace(
        session,
        row=session.row or row.slot,
        address=row.address or session.address,
        mac=row.mac or session.mac,
        mark=row.mark or session.mark,
        server=row.server or session.server,
        started_at=session.started_at or (None if row.uptime is None else now - row.uptime),
        bytes_in=row.bytes_in if counted else session.bytes_in,
        bytes_out=row.bytes_out if counted else session.bytes_out,
        counted_at=now if counted else session.counted_at,
    )


def _other(known: Session, row: Seen) -> bool:
    """Whether the slot now holds another session."""
    if known.account != row.account:
        return True
    if known.mark is not None and row.mark is not None and known.mark != row.mark:
        return True
    moved = known.mac is not None and row.mac is not None and known.mac != row.mac
    return moved and not _goes_on(known, row)


def _goes_on(known: Session, row: Seen) -> bool:
    """Whether the router counts the row as the same session, by its number and its uptime: only the device is new."""
    numbered = known.mark is not None and known.mark == row.mark
    if not numbered or row.uptime is None or known.started_at is None:
        return False
    return row.uptime >= _SAME_START


def _began_later(known: Session, row: Seen, asked_at: datetime) -> bool:
    """Whether the row's uptime says that this is a newer session of the same subscriber.

    Also with the same `mark`: a router that was restarted numbers its sessions anew.
    """
    if row.uptime is None:
        return False
    return asked_at - row.uptime > (known.started_at or known.opened_at) + _SAME_START
