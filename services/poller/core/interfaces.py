"""From rows of `/interface` to links that were lost and came back.

Told are interfaces that somebody enabled and that were running; a port that never ran is not down, and the interfaces
of subscribers' sessions come and go with them. What is found by comparison after a blind time is marked inferred.
A router that has just started still negotiates its links: what ran before the start and does not run yet is held back
until the router has had its time. A port that was seen running since is news at once when it stops.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.routeros import Row, printable

COLUMNS = (
    ".id",
    "name",
    "type",
    "running",
    "disabled",
    "dynamic",
    "comment",
    "last-link-down-time",
    "last-link-up-time",
)
SESSION_TYPES = ("pppoe-in", "pptp-in", "l2tp-in", "ovpn-in", "sstp-in")
RESTLESS_CHANGES = 6  # so many told changes
RESTLESS = timedelta(seconds=60)  # within this: from then on an interface is told only when it has settled
SETTLED = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Port:
    """An interface as a row shows it."""

    row_id: str
    name: str
    type: str
    running: bool
    enabled: bool
    comment: str
    changed_at: datetime | None = None
    """When its link was lost or came back, by the router's own memory."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an interface that ran: its last told state, the number of that change, and since when."""

    name: str
    running: bool
    change: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Learned:
    """Nothing to tell, but to remember."""

    known: Known


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Nothing to tell and nothing left to remember: it was disabled, renamed or removed."""

    name: str


@dataclass(frozen=True, slots=True)
class LinkLost:
    """An interface that was running has no link any more."""

    known: Known
    port: Port
    at: datetime
    inferred: bool


@dataclass(frozen=True, slots=True)
class LinkBack:
    """An interface that was told to be down has its link again."""

    known: Known
    port: Port
    at: datetime
    down_since: datetime
    inferred: bool


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """An interface that was told to be down was disabled, renamed or removed. Nothing is left to remember."""

    known: Known
    at: datetime
    down_since: datetime


@dataclass(frozen=True, slots=True)
class _Held:
    """A change that is not told yet, and when it will be if it lasts."""

    port: Port
    due: datetime
    inferred: bool


Fact = Learned | Forgotten | LinkLost | LinkBack | Withdrawn


When = Callable[[str], datetime | None]
"""From the router's wall clock to ours; None where it cannot be read."""


def read_port(row: Row, when: When = lambda _: None) -> Port | None:
    """A row of `/interface`; None for the interfaces of sessions and others that the router makes by itself."""
    name, kind = printable(row.get("name", "")), row.get("type", "")
    if not name or name.startswith("<") or kind in SESSION_TYPES or row.get("dynamic") in {"true", "yes"}:
        return None
    running = row.get("running") in {"true", "yes"}
    return Port(
        row_id=row.get(".id", ""),
        name=name,
        type=kind,
        running=running,
        enabled=row.get("disabled") not in {"true", "yes"},
        comment=printable(row.get("comment", "")),
        changed_at=when(row.get("last-link-up-time" if running else "last-link-down-time", "")),
    )


class InterfaceBook:
    """The interfaces of one router."""

    def __init__(self, known: Iterable[Known] = ()) -> None:
        self._known = {one.name: one for one in known}
        self._ids: dict[str, str] = {}
        self._heard: dict[str, datetime] = {}
        self._told: dict[str, deque[datetime]] = {}
        self._held: dict[str, _Held] = {}
        self._ran: set[str] = set()
        self._starting_until: datetime | None = None

    def connected(self, starting_until: datetime) -> None:
        """A new connection; until then (it may be over) the router is still finding its links."""
        self._starting_until = starting_until
        self._ran.clear()

    def seen(self, port: Port, now: datetime, *, inferred: bool = False) -> list[Fact]:
        """A row was added or changed, just now."""
        self._heard[port.name] = now
        facts = self._renamed(port, now)
        self._ids[port.row_id] = port.name
        known = self._known.get(port.name)
        if not port.enabled:
            return facts + self._forget(port.name, now)
        if port.running:
            self._ran.add(port.name)
        if known is None:
            return facts + (self._learn(port, now) if port.running else [])
        if known.running == port.running:
            self._held.pop(port.name, None)
            return facts
        if port.name in self._held:
            return facts
        if (due := self._held_until(port, now, inferred=inferred)) is not None:
            self._held[port.name] = _Held(port, due, inferred)
            return facts
        return [*facts, self._change(known, port, now, inferred=inferred)]

    def gone(self, row_id: str, now: datetime) -> list[Fact]:
        """A row was removed: that is somebody's decision, not a lost link."""
        name = self._ids.pop(row_id, None)
        return [] if name is None else self._forget(name, now)

    def compare(self, ports: Iterable[Port], now: datetime, *, asked_at: datetime, inferred: bool) -> list[Fact]:
        """The whole table was read. What was heard after `asked_at` is newer than the table."""
        facts: list[Fact] = []
        present: set[str] = set()
        for port in ports:
            present.add(port.name)
            if self._heard.get(port.name, asked_at) <= asked_at:
                facts += self.seen(port, now, inferred=inferred)
        for name in [name for name in self._known if name not in present]:
            if self._heard.get(name, asked_at) <= asked_at:
                facts += self._forget(name, now)
        self._ids = {row_id: name for row_id, name in self._ids.items() if name in present or name in self._known}
        self._heard.clear()
        return facts

    def settle(self, now: datetime) -> list[Fact]:
        """Tell what was held back and has lasted."""
        facts: list[Fact] = []
        for name, held in list(self._held.items()):
            if now >= held.due:
                del self._held[name]
                self._told.pop(name, None)
                facts.append(self._change(self._known[name], held.port, now, inferred=held.inferred))
        return facts

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _renamed(self, port: Port, now: datetime) -> list[Fact]:
        before = self._ids.get(port.row_id, port.name)
        return self._forget(before, now) if before != port.name else []

    def _learn(self, port: Port, now: datetime) -> list[Fact]:
        # Seconds since 1970 let numbers grow also for a port that was forgotten (disabled) and comes again.
        self._known[port.name] = known = Known(port.name, running=True, change=int(now.timestamp()), since=now)
        return [Learned(known)]

    def _forget(self, name: str, now: datetime) -> list[Fact]:
        self._held.pop(name, None)
        self._told.pop(name, None)
        known = self._known.pop(name, None)
        if known is None:
            return []
        if known.running:
            return [Forgotten(name)]
        return [Withdrawn(replace(known, change=known.change + 1, since=now), now, known.since)]

    def _held_until(self, port: Port, now: datetime, *, inferred: bool) -> datetime | None:
        """None: told at once."""
        told, until = self._told.get(port.name), self._starting_until
        if not port.running and port.name not in self._ran and until is not None and now < until:
            return until
        restless = told is not None and len(told) == RESTLESS_CHANGES and now - told[0] < RESTLESS
        return now + SETTLED if restless and not inferred else None

    def _change(self, known: Known, port: Port, now: datetime, *, inferred: bool) -> Fact:
        self._told.setdefault(port.name, deque(maxlen=RESTLESS_CHANGES)).append(now)
        believable = inferred and port.changed_at is not None and known.since < port.changed_at < now
        at = port.changed_at if believable and port.changed_at is not None else now
        self._known[port.name] = after = Known(port.name, port.running, known.change + 1, at)
        if port.running:
            return LinkBack(after, port, at, known.since, inferred)
        return LinkLost(after, port, at, inferred)
