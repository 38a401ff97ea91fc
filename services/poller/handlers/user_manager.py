"""Follow the accounting of a User Manager: sessions of routers that are not watched, reasons for those that are.

A login at a router that is watched is told by that router; what is accounted of it only says why it ended and how much
it carried. So there is one event for each login, whoever accounts it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import structlog

from services.poller.core.accounting_rows import SLOTS, Accounted, read_accounting
from services.poller.core.log_words import Ending
from services.poller.core.session_facts import Closed, SessionFact
from services.poller.core.session_facts import Session as OpenSession
from services.poller.core.sessions import SessionBook
from services.poller.handlers.session_desk import SessionDesk
from services.poller.handlers.table_loop import keep_following
from shared.clock import Clock
from shared.contracts.ids import RouterId
from shared.contracts.vocabulary import Service
from shared.errors import RondaError
from shared.routeros import Change, RowChanged, RowGone, Session, one_of

NasOf = Callable[[str, str], RouterId | None]
"""The watched router that a NAS is, by its address and by what it calls itself; None if it is not watched."""
DeskOf = Callable[[RouterId], SessionDesk | None]

_COMPARE_EVERY_S = 300.0
_PRINT_DEADLINE_S = 30.0

log = structlog.get_logger(__name__)


class AccountingFollower:
    """The User Manager of one router, if it has one."""

    name = "user-manager"

    def __init__(
        self,
        desk: SessionDesk,
        known: Mapping[Service, Iterable[OpenSession]],
        *,
        nas_of: NasOf,
        desk_of: DeskOf,
        clock: Clock,
    ) -> None:
        self._desk = desk
        self._nas_of = nas_of
        self._desk_of = desk_of
        self._clock = clock
        self._services = {
            session.slot: service
            for service, sessions in known.items()
            for session in sessions
            if session.slot.startswith(SLOTS)
        }
        self._book = SessionBook(
            session for sessions in known.values() for session in sessions if session.slot.startswith(SLOTS)
        )

    def sessions(self) -> dict[Service, list[OpenSession]]:
        """What is open at routers that are not watched."""
        found: dict[Service, list[OpenSession]] = {}
        for session in self._book.sessions():
            found.setdefault(self._services[session.slot], []).append(session)
        return found

    async def follow(self, session: Session) -> None:
        """Follow until the connection ends (Unreachable); return if there is no User Manager."""
        path = f"{session.dialect.user_manager.root}/session"
        names = {"router": self._desk.router.name, "table": path}
        await keep_following(lambda: self._once(session, path), names=names)

    async def _once(self, session: Session, path: str) -> None:
        async with session.listen(path) as changes:
            await self._compare(session, path)
            comparing = asyncio.create_task(self._compare_regularly(session, path))
            try:
                async for change in changes:
                    self._take(change, session)
            finally:
                comparing.cancel()
                await asyncio.gather(comparing, return_exceptions=True)

    def _take(self, change: Change, session: Session) -> None:
        now = self._clock.now()
        match change:
            case RowGone():
                self._tell(self._book.gone(SLOTS + change.id.removeprefix("*"), now))
            case RowChanged() if (row := read_accounting(change.row)) is not None:
                watched = self._watched(row, session)
                if watched is not None:
                    self._say_why(row, watched)
                elif row.said is not None:
                    self._end(row)
                else:
                    self._services[row.seen.slot] = row.service
                    self._tell(self._book.seen(row.seen, now))

    def _end(self, row: Accounted) -> None:
        facts = self._book.gone(row.seen.slot, self._clock.now())
        self._tell([replace(fact, said=row.said) if isinstance(fact, Closed) else fact for fact in facts])

    def _say_why(self, row: Accounted, router_id: RouterId) -> None:
        desk = self._desk_of(router_id)
        if desk is not None and row.said is not None:
            desk.heard(Ending(row.service, row.said))

    def _watched(self, row: Accounted, session: Session) -> RouterId | None:
        if row.nas_address.startswith("127.") or row.nas_name == session.facts.identity:
            return self._desk.router.id
        return self._nas_of(row.nas_address, row.nas_name)

    async def _compare(self, session: Session, path: str) -> None:
        asked_at = self._clock.now()
        # Also what ended long ago is in this table: only what is open is asked for.
        rows = await session.print_rows(path, (), one_of("active", "true", "yes"), deadline=_PRINT_DEADLINE_S)
        read = [row for row in map(read_accounting, rows) if row is not None and row.said is None]
        foreign = [row for row in read if self._watched(row, session) is None]
        self._services |= {row.seen.slot: row.service for row in foreign}
        self._tell(self._book.compare((row.seen for row in foreign), self._clock.now(), asked_at=asked_at))

    async def _compare_regularly(self, session: Session, path: str) -> None:
        while True:
            await asyncio.sleep(_COMPARE_EVERY_S)
            try:
                await self._compare(session, path)
            except RondaError as problem:
                log.warning("the accounting cannot be compared now", table=path, reason=str(problem))

    def _tell(self, facts: list[SessionFact]) -> None:
        for fact in facts:
            self._desk.tell_accounted(self._services[fact.session.slot], fact)
            if isinstance(fact, Closed) and not any(fact.session.slot == one.slot for one in self._book.sessions()):
                self._services.pop(fact.session.slot, None)
