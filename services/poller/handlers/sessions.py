"""Follow one active table of a router: the listener first, then the whole table, then every change as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import structlog

from services.poller.core.records import SessionRecord, session_key
from services.poller.core.session_rows import ActiveTable, read_row
from services.poller.core.sessions import ADDRESS_PATIENCE, Changed, Closed, Opened, SessionBook, SessionFact
from services.poller.handlers.telling import Teller
from shared.clock import Clock
from shared.contracts.events import SessionClosed, SessionOpened
from shared.contracts.inventory import Router
from shared.errors import Refused, RondaError, Temporary, Unreachable
from shared.routeros import Change, FeatureMissing, RowChanged, RowGone, Session, ValueRefused

COMPARE_EVERY_S = 300.0  # a listen that went deaf without an error is noticed after this
_PRINT_DEADLINE_S = 30.0  # a big table on a small router
_AGAIN_S = 2.0  # after a table that could not be read now
_AGAIN_AFTER_REFUSAL_S = 60.0

log = structlog.get_logger(__name__)


class TableFollower:
    """The sessions of one service on one router. `router` may be replaced while it runs (a new name)."""

    def __init__(self, router: Router, table: ActiveTable, book: SessionBook, *, teller: Teller, clock: Clock) -> None:
        self.router = router
        self.table = table
        self.book = book
        self._teller = teller
        self._clock = clock
        self._columns: tuple[str, ...] = table.columns

    async def follow(self, session: Session) -> None:
        """Tell sessions until the connection ends (Unreachable) or the router turns out to lack this service."""
        while True:
            try:
                await self._follow_once(session)
                await asyncio.sleep(_AGAIN_S)  # the router itself ended the listen
            except FeatureMissing:
                return  # the package is not installed: there is nothing to follow, and nothing wrong
            except ValueRefused:
                # Whether `listen` takes `.proplist` everywhere on 6.49 is not established: then all columns come.
                again_s = _AGAIN_AFTER_REFUSAL_S if not self._columns else 0.0
                self._columns = ()
                await asyncio.sleep(again_s)
            except Unreachable:
                raise
            except Temporary as problem:
                log.warning("the table cannot be followed now", reason=str(problem), **self._names)
                await asyncio.sleep(_AGAIN_S)
            except Refused as problem:
                log.warning("the router refuses the table", reason=str(problem), **self._names)
                await asyncio.sleep(_AGAIN_AFTER_REFUSAL_S)

    @property
    def name(self) -> str:
        """For logs."""
        return str(self.table.service)

    @property
    def _names(self) -> dict[str, str]:
        return {"router": self.router.name, "table": self.table.path}

    async def _follow_once(self, session: Session) -> None:
        listening: AbstractAsyncContextManager[AsyncIterator[Change]] = session.listen(self.table.path, self._columns)
        async with listening as changes:
            await self._compare(session)
            beside = [asyncio.create_task(self._ripen()), asyncio.create_task(self._compare_regularly(session))]
            try:
                async for change in changes:
                    self._take(change)
            finally:
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

    async def _compare(self, session: Session) -> None:
        asked_at = self._clock.now()
        rows = await session.print_rows(self.table.path, self.table.columns, deadline=_PRINT_DEADLINE_S)
        seen = [row for row in (read_row(self.table, row) for row in rows) if row is not None]
        self._tell(self.book.compare(seen, self._clock.now(), asked_at=asked_at))

    async def _compare_regularly(self, session: Session) -> None:
        while True:
            await asyncio.sleep(COMPARE_EVERY_S)
            try:
                await self._compare(session)
            except RondaError as problem:  # the listen goes on; absence counts only in a table that was read
                log.warning("the table cannot be compared now", reason=str(problem), **self._names)

    async def _ripen(self) -> None:
        """Tell rows whose address does not come."""
        while True:
            came = self.book.ripe_at()
            if came is None:
                await asyncio.sleep(ADDRESS_PATIENCE.total_seconds() / 2)
                continue
            wait = came + ADDRESS_PATIENCE - self._clock.now()
            await asyncio.sleep(max(0.01, wait.total_seconds()))
            self._tell(self.book.ripe(self._clock.now()))

    def _tell(self, facts: list[SessionFact]) -> None:
        for fact in facts:
            self._teller.tell(*session_told(self.router, self.table, fact))


def session_told(
    router: Router, table: ActiveTable, fact: SessionFact
) -> tuple[str, SessionOpened | SessionClosed | None, SessionRecord | None]:
    """Where the fact belongs in the memory, the event that tells it, and what to remember."""
    session = fact.session
    key = session_key(router.id, table.service, session.slot)
    record = SessionRecord.of(router.id, table.service, session)
    common = {
        "router_id": router.id,
        "router_name": router.name,
        "site_id": router.site_id,
        "service": table.service,
        "account": session.account,
        "session_id": f"{router.id}-{table.service}-{session.slot}-{session.number}",
        "address": session.address,
        "mac": session.mac,
    }
    match fact:
        case Changed():
            return key, None, record
        case Opened():
            return key, SessionOpened(**common, at=fact.at, inferred=fact.inferred), record
        case Closed():
            bytes_in, bytes_out = fact.counters
            event = SessionClosed(
                **common,
                at=fact.at,
                inferred=fact.inferred,
                opened_at=session.opened_at,
                duration_s=fact.duration_s,
                bytes_in=bytes_in,
                bytes_out=bytes_out,
            )
            return key, event, None
