"""Follow one active table of a router: the listener first, then the whole table, then every change as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import structlog

from services.poller.core.session_rows import PPP, ActiveTable, counters_by_account, read_row
from services.poller.core.sessions import ADDRESS_PATIENCE, SessionBook, SessionFact
from services.poller.handlers.session_desk import SessionDesk
from services.poller.handlers.table_loop import keep_following
from shared.clock import Clock
from shared.errors import RondaError
from shared.routeros import Change, RowChanged, RowGone, Session, equals

COMPARE_EVERY_S = 300.0  # a listen that went deaf without an error is noticed after this
_COMPARE_SOON_S = 15.0  # what a script told and the table does not show is looked for again
_PRINT_DEADLINE_S = 30.0  # a big table on a small router

log = structlog.get_logger(__name__)


class TableFollower:
    """The sessions of one service on one router."""

    def __init__(self, table: ActiveTable, desk: SessionDesk, *, clock: Clock) -> None:
        self.table = table
        self._desk = desk
        self._clock = clock
        self._columns: tuple[str, ...] = table.columns
        self._came_bare = asyncio.Event()  # a row without its address: many tables, and most never have one

    @property
    def name(self) -> str:
        """For logs."""
        return str(self.table.service)

    @property
    def book(self) -> SessionBook:
        """The open sessions."""
        return self._desk.books[self.table.service]

    async def follow(self, session: Session) -> None:
        """Tell sessions until the connection ends (Unreachable) or the router turns out to lack this service."""
        await keep_following(lambda: self._follow_once(session), names=self._names, simpler=self._all_columns)

    def _all_columns(self) -> bool:
        # Whether `listen` takes `.proplist` everywhere on 6.49 is not established: then all columns come.
        had, self._columns = bool(self._columns), ()
        return had

    @property
    def _names(self) -> dict[str, str]:
        return {"router": self._desk.router.name, "table": self.table.path}

    async def _follow_once(self, session: Session) -> None:
        listening: AbstractAsyncContextManager[AsyncIterator[Change]] = session.listen(self.table.path, self._columns)
        async with listening as changes:
            await self._compare(session)
            beside = [asyncio.create_task(self._ripen()), asyncio.create_task(self._compare_regularly(session))]
            self._desk.live.add(self.table.service)
            try:
                async for change in changes:
                    self._take(change)
            finally:
                self._desk.live.discard(self.table.service)
                for task in beside:
                    task.cancel()
                await asyncio.gather(*beside, return_exceptions=True)

    def _take(self, change: Change) -> None:
        now = self._clock.now()
        match change:
            case RowGone():
                self._tell(self.book.gone(change.id.removeprefix("*"), now))
            case RowChanged() if (seen := read_row(self.table, change.row)) is not None:
                self._tell(self.book.seen(seen, now))
                if self.book.ripe_at() is not None:
                    self._came_bare.set()

    async def _compare(self, session: Session) -> None:
        asked_at = self._clock.now()
        rows = await session.print_rows(self.table.path, self.table.columns, deadline=_PRINT_DEADLINE_S)
        seen = [row for row in (read_row(self.table, row) for row in rows) if row is not None]
        self._tell(self.book.compare(seen, self._clock.now(), asked_at=asked_at))

    async def _compare_regularly(self, session: Session) -> None:
        while True:
            await asyncio.sleep(_COMPARE_SOON_S if self.book.awaits_rows else COMPARE_EVERY_S)
            try:
                await self._compare(session)
                await self._count(session)
            except RondaError as problem:  # the listen goes on; absence counts only in a table that was read
                log.warning("the table cannot be compared now", reason=str(problem), **self._names)

    async def _count(self, session: Session) -> None:
        """Read the counters of PPP sessions, which `/ppp/active` of 7 does not have, from their interfaces."""
        if self.table is not PPP or not len(self.book):
            return
        columns = ("name", "rx-byte", "tx-byte")
        query = equals("type", "pppoe-in")
        rows = await session.print_rows("/interface", columns, query, deadline=_PRINT_DEADLINE_S)
        now = self._clock.now()
        counted = counters_by_account(rows)
        for known in self.book.sessions():
            if known.row is not None and known.account in counted:
                self.book.counted(known.row, *counted[known.account], now)

    async def _ripen(self) -> None:
        """Tell rows whose address does not come."""
        while True:
            came = self.book.ripe_at()
            if came is None:
                self._came_bare.clear()
                await self._came_bare.wait()
                continue
            wait = came + ADDRESS_PATIENCE - self._clock.now()
            await asyncio.sleep(max(0.01, wait.total_seconds()))
            self._tell(self.book.ripe(self._clock.now()))

    def _tell(self, facts: list[SessionFact]) -> None:
        if facts:
            self._desk.tell(self.table.service, facts)
