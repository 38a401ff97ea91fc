"""Watch one router: is it there, and who is on line?"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping

import structlog

from services.poller.core.reach import CONFIRM, Lost, Reach, Reached, answered, failed
from services.poller.core.records import RouterRecord, router_key
from services.poller.core.session_rows import TABLES
from services.poller.core.sessions import Session as OpenSession
from services.poller.core.sessions import SessionBook
from services.poller.handlers.doors import RouterDoors
from services.poller.handlers.sessions import TableFollower
from services.poller.handlers.telling import Teller
from shared.clock import Clock
from shared.contracts.events import RouterReachable, RouterUnreachable
from shared.contracts.inventory import Router
from shared.contracts.vocabulary import Service
from shared.errors import NotAllowed, RondaError, Unreachable
from shared.routeros import LinkDown, LinkUp, RouterAddress, RouterLink, Session

log = structlog.get_logger(__name__)

OpenPassword = Callable[[Router], RouterAddress]
"""How to reach a router: opens its sealed password. Raises Misconfigured or Invalid."""

Connect = Callable[[RouterAddress], Awaitable[Session]]


class RouterWatcher:
    """One router under watch, from `run` to its cancellation."""

    def __init__(
        self,
        router: Router,
        reach: Reach,
        sessions: Mapping[Service, Iterable[OpenSession]],
        *,
        address_of: OpenPassword,
        connect: Connect,
        teller: Teller,
        clock: Clock,
        doors: RouterDoors,
    ) -> None:
        self.router = router
        self._doors = doors
        self._address_of = address_of
        self._connect = connect
        self._teller = teller
        self._clock = clock
        self._reach = reach
        self._last_error = ""
        self._followers = [
            TableFollower(
                router,
                table,
                SessionBook(sessions.get(table.service, ())),
                teller=teller,
                clock=clock,
            )
            for table in TABLES
        ]

    @property
    def open_sessions(self) -> int:
        """How many subscribers are on line, as far as we know."""
        return sum(len(follower.book) for follower in self._followers)

    @property
    def trouble(self) -> str:
        """Why the router cannot be asked, while it cannot."""
        return self._last_error or f"{self.router.name} is not connected yet"

    @property
    def reach(self) -> Reach:
        """Whether the router can be asked."""
        return self._reach

    def open_by_service(self) -> dict[Service, list[OpenSession]]:
        """The sessions that are open, as far as we know."""
        return {follower.table.service: follower.book.sessions() for follower in self._followers}

    async def run(self) -> None:
        """Stay connected and tell until cancelled. A router whose password cannot be opened is told unreachable."""
        try:
            address = self._address_of(self.router)
        except RondaError as problem:
            self._failed(str(problem), certain=True)
            return
        async with RouterLink(address, clock=self._clock, connect=self._connect) as link:
            following: asyncio.Task[None] | None = None
            patience: asyncio.TimerHandle | None = None
            try:
                async for state in link.states():
                    if patience is not None:
                        patience.cancel()
                    if isinstance(state, LinkUp):
                        self._doors.opened(self.router.id, state.session)
                        self._answered(state.session)
                        following = asyncio.create_task(self._follow(state.session), name=f"sessions {address}")
                        continue
                    self._doors.closed(self.router.id)
                    if following is not None:
                        await _end(following)
                        following = None
                    patience = self._went_down(state)
            finally:
                self._doors.closed(self.router.id)
                if patience is not None:
                    patience.cancel()
                if following is not None:
                    await _end(following)

    # ── is it there ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _answered(self, session: Session) -> None:
        self._reach, fact = answered(self._reach, self._clock.now())
        if fact is not None:
            facts = session.facts
            self._tell(
                RouterReachable(
                    **self._common(fact),
                    identity=facts.identity,
                    version=str(facts.version),
                    board=facts.board,
                    uptime_s=int(facts.uptime.total_seconds()),
                    unreachable_since=fact.unreachable_since,
                )
            )

    def _went_down(self, state: LinkDown) -> asyncio.TimerHandle | None:
        """Count the failure, and come back when the time to confirm is over, should nothing happen until then."""
        tried = state.retry_in is not None
        self._failed(str(state.error), tried=tried, certain=isinstance(state.error, NotAllowed))
        remaining = CONFIRM - (self._clock.now() - (self._reach.failing_since or self._clock.now()))
        loop = asyncio.get_running_loop()
        return loop.call_later(max(0.0, remaining.total_seconds()) + 0.01, self._waited)

    def _waited(self) -> None:
        self._failed(self._last_error, tried=False)

    def _failed(self, reason: str, *, tried: bool = True, certain: bool = False) -> None:
        self._last_error = reason
        self._reach, fact = failed(self._reach, reason, self._clock.now(), tried=tried, certain=certain)
        if fact is not None:
            self._tell(RouterUnreachable(**self._common(fact), reason=fact.reason))

    def _common(self, fact: Reached | Lost) -> dict[str, object]:
        router = self.router
        return {
            "at": fact.at,
            "router_id": router.id,
            "router_name": router.name,
            "site_id": router.site_id,
            "transition": fact.transition,
        }

    def _tell(self, event: RouterReachable | RouterUnreachable) -> None:
        self._teller.tell(router_key(self.router.id), event, RouterRecord.of(self.router.id, self._reach))

    # ── who is on line ──────────────────────────────────────────────────────────────────────────────────────────────

    async def _follow(self, session: Session) -> None:
        """All tables side by side; the end of the connection ends them all and closes no session."""
        tasks = [asyncio.create_task(self._follow_table(follower, session)) for follower in self._followers]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow_table(self, follower: TableFollower, session: Session) -> None:
        try:
            await follower.follow(session)
        except Unreachable as gone:
            log.info("the router's table is out of sight", router=self.router.name, reason=str(gone))


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
