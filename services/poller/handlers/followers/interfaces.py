"""Links that are lost and come back, as they do."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from services.poller.core.interfaces import (
    COLUMNS,
    SESSION_TYPES,
    Fact,
    Forgotten,
    InterfaceBook,
    Known,
    Learned,
    LinkBack,
    LinkLost,
    Withdrawn,
    read_port,
)
from services.poller.core.router_records import InterfaceRecord
from services.poller.core.vitals import CLOCK_COLUMNS, WallClock, wall_clock
from services.poller.handlers.followers.feed import Feed, Table
from services.poller.handlers.followers.post import Post
from shared.contracts.events import InterfaceDown, InterfaceUp, InterfaceWithdrawn
from shared.errors import RondaError, Unreachable
from shared.routeros import Row, Session, one_of

INTERFACES = Table("/interface", COLUMNS, ~one_of("type", *SESSION_TYPES))
_KIND = "interface"
_STARTING = timedelta(seconds=30)  # ports are still finding their speed while the API answers already


class InterfaceFollower:
    """The interfaces of one router."""

    name = "interfaces"
    every_s = 30.0

    def __init__(self, post: Post) -> None:
        self._post = post
        records = post.notebook.all(_KIND, InterfaceRecord)
        self._wall: WallClock | None = None
        self.book = InterfaceBook(Known(one.name, one.running, one.order, one.since) for one in records)

    async def follow(self, session: Session) -> None:
        """Tell until the connection ends."""
        self.book.connected(self._post.clock.now() + _STARTING - session.facts.uptime)
        self._wall = await self._read_wall(session)
        await Feed(INTERFACES, self, self._post.clock, router=self._post.router.name).follow(session)

    async def _read_wall(self, session: Session) -> WallClock | None:
        """How to read what the router remembers of its links; None: what is missed is told with the time of finding."""
        try:
            rows = await session.print_rows("/system/clock", CLOCK_COLUMNS)
        except Unreachable:
            raise
        except RondaError:
            return None
        return wall_clock(rows[0], session.dialect, self._post.clock.now()) if rows else None

    def _when(self, text: str) -> datetime | None:
        return self._wall.moment(text, self._post.clock.now()) if self._wall is not None else None

    # ── rows ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def changed(self, row: Row, now: datetime) -> None:
        """A row was added or changed."""
        if (port := read_port(row, self._when)) is not None:
            self._tell(self.book.seen(port, now))

    def gone(self, row_id: str, now: datetime) -> None:
        """A row was removed."""
        self._tell(self.book.gone(row_id, now))

    def compare(self, rows: list[Row], now: datetime, *, asked_at: datetime, missed: bool) -> None:
        """The whole table."""
        ports = [port for row in rows if (port := read_port(row, self._when)) is not None]
        self._tell(self.book.compare(ports, now, asked_at=asked_at, inferred=missed))

    # ── a look that asks nothing: restless interfaces that have settled ─────────────────────────────────────────────

    def begin(self) -> None:
        """Nothing is kept from the connection before."""

    async def look(self, session: Session) -> None:  # noqa: ARG002 - asks nothing
        """Tell what has settled."""
        self._tell(self.book.settle(self._post.clock.now()))

    def _tell(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            if isinstance(fact, Forgotten):
                self._post.notebook.tell(_KIND, fact.name, None, None)
                continue
            if isinstance(fact, Withdrawn):
                self._post.notebook.tell(_KIND, fact.known.name, self._withdrawn(fact), None)
                continue
            known = fact.known
            record = InterfaceRecord(order=known.change, name=known.name, running=known.running, since=known.since)
            self._post.notebook.tell(_KIND, known.name, self._event(fact), record)

    def _withdrawn(self, fact: Withdrawn) -> InterfaceWithdrawn:
        known, common = fact.known, self._post.common(fact.at)
        return InterfaceWithdrawn(**common, interface=known.name, change=known.change, down_since=fact.down_since)

    def _event(self, fact: Learned | LinkLost | LinkBack) -> InterfaceDown | InterfaceUp | None:
        if isinstance(fact, Learned):
            return None
        fields = {
            **self._post.common(fact.at),
            "interface": fact.port.name,
            "interface_type": fact.port.type,
            "comment": fact.port.comment,
            "change": fact.known.change,
            "inferred": fact.inferred,
        }
        if isinstance(fact, LinkLost):
            return InterfaceDown(**fields)
        return InterfaceUp(**fields, down_since=fact.down_since)
