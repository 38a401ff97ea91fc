"""Follow a table of a router: by `listen` where the router can, with the whole table compared now and then; else by
reading it often. The tables of sessions have a follower of their own, which knows about addresses that come late."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from services.poller.handlers.table_loop import keep_following
from shared.clock import Clock
from shared.errors import RondaError
from shared.routeros import FeatureMissing, Query, Row, RowGone, Session

COMPARE_EVERY_S = 300.0  # a listen that went deaf without an error is noticed after this
POLL_EVERY_S = 15.0  # where there is no listen
_PRINT_DEADLINE_S = 30.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Table:
    """What to read. `query` narrows the whole table; a listen always speaks of every row."""

    path: str
    columns: tuple[str, ...]
    query: Query | None = None


class Reader(Protocol):
    """Who understands the rows."""

    def changed(self, row: Row, now: datetime) -> None:
        """A row was added or changed, just now."""
        ...

    def gone(self, row_id: str, now: datetime) -> None:
        """A row was removed, just now."""
        ...

    def compare(self, rows: list[Row], now: datetime, *, asked_at: datetime, missed: bool) -> None:
        """The whole table. `missed`: what differs happened while nobody was looking."""
        ...


class Feed:
    """One table of one router, from connection to connection."""

    def __init__(self, table: Table, reader: Reader, clock: Clock, *, router: str) -> None:
        self._table = table
        self._reader = reader
        self._clock = clock
        self._columns = table.columns
        self._names = {"router": router, "table": table.path}

    async def follow(self, session: Session) -> None:
        """Until the connection ends (Unreachable); returns if the router lacks the table."""
        await keep_following(lambda: self._once(session), names=self._names, simpler=self._all_columns)

    def _all_columns(self) -> bool:
        # Whether `listen` takes `.proplist` everywhere on 6.49 is not established: then all columns come.
        had, self._columns = bool(self._columns), ()
        return had

    async def _once(self, session: Session) -> None:
        try:
            await self._listen(session)
        except FeatureMissing:
            if not await session.offers(self._table.path):
                raise
            await self._poll(session)

    async def _listen(self, session: Session) -> None:
        async with session.listen(self._table.path, self._columns) as changes:
            await self._compare(session, missed=True)
            comparing = asyncio.create_task(self._compare_regularly(session))
            try:
                async for change in changes:
                    now = self._clock.now()
                    if isinstance(change, RowGone):
                        self._reader.gone(change.id, now)
                    else:
                        self._reader.changed(change.row, now)
            finally:
                comparing.cancel()
                await asyncio.gather(comparing, return_exceptions=True)

    async def _poll(self, session: Session) -> None:
        missed = True
        while True:
            await self._compare(session, missed=missed)
            missed = False
            await asyncio.sleep(POLL_EVERY_S)

    async def _compare(self, session: Session, *, missed: bool) -> None:
        asked_at = self._clock.now()
        table = self._table
        rows = await session.print_rows(table.path, table.columns, table.query, deadline=_PRINT_DEADLINE_S)
        self._reader.compare(rows, self._clock.now(), asked_at=asked_at, missed=missed)

    async def _compare_regularly(self, session: Session) -> None:
        while True:
            await asyncio.sleep(COMPARE_EVERY_S)
            try:
                await self._compare(session, missed=True)
            except RondaError as problem:  # the listen goes on; absence counts only in a table that was read
                log.warning("the table cannot be compared now", reason=str(problem), **self._names)
