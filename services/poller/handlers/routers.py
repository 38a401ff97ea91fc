"""Watch one router: is it there, who is on line, and what does it say of itself? All on one connection."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import nullcontext

import structlog

from services.poller.core.clock_jury import ClockJury
from services.poller.core.reach import CONFIRM, Lost, Reach, Reachability, Reached, answered, failed
from services.poller.core.records import RouterRecord, router_key
from services.poller.core.session_facts import Session as OpenSession
from services.poller.core.session_rows import TABLES
from services.poller.handlers.doors import RouterDoors
from services.poller.handlers.followers import followers_of
from services.poller.handlers.followers.notebook import Notebook
from services.poller.handlers.followers.post import Follower, Pace, Post, Say, WatchCounts
from services.poller.handlers.followers.security import SecurityDesk
from services.poller.handlers.hearsay import Hearsay
from services.poller.handlers.log_lines import LogFollower
from services.poller.handlers.placing import PlacesFollower
from services.poller.handlers.session_desk import SessionDesk
from services.poller.handlers.sessions import TableFollower
from services.poller.handlers.telling import Teller
from services.poller.handlers.user_manager import AccountingFollower, NasOf
from shared.clock import Clock
from shared.contracts.events import RouterReachable, RouterUnreachable
from shared.contracts.ids import RouterId
from shared.contracts.inventory import Router
from shared.contracts.vocabulary import Service
from shared.errors import NotAllowed, RondaError, Unreachable
from shared.routeros import LinkDown, LinkUp, RouterAddress, RouterLink, Session

log = structlog.get_logger(__name__)

OpenPassword = Callable[[Router], RouterAddress]
"""How to reach a router: opens its sealed password. Raises Misconfigured or Invalid."""

Connect = Callable[[RouterAddress], Awaitable[Session]]

_AFTER_CRASH_S = 60.0


class RouterWatcher:
    """One router under watch, from `run` to its cancellation."""

    def __init__(
        self,
        router: Router,
        reach: Reach,
        sessions: Mapping[Service, Iterable[OpenSession]],
        entries: dict[str, bytes],
        *,
        address_of: OpenPassword,
        connect: Connect,
        teller: Teller,
        clock: Clock,
        doors: RouterDoors,
        say: Say,
        pace: Pace,
        counts: WatchCounts,
        jury: ClockJury,
        hearsay: Hearsay | None = None,
        nas_of: NasOf = lambda _address, _name: None,
    ) -> None:
        """`entries` is what lay below `seen.<router>.`; it is kept up to date and outlives this watcher."""
        self._hearsay = hearsay
        self._doors = doors
        self._counts = counts
        self._address_of = address_of
        self._connect = connect
        self._teller = teller
        self._clock = clock
        self._reach = reach
        self._last_error = ""
        notebook = Notebook(router.id, entries, teller)
        self._post = Post(router, notebook, clock, say, self._sessions_by_service, pace, counts, jury)
        self._desk = SessionDesk(router, sessions, teller=teller, clock=clock)
        self._accounting = AccountingFollower(
            self._desk, sessions, nas_of=nas_of, desk_of=hearsay.desk_of if hearsay else self._own_desk, clock=clock
        )
        security = SecurityDesk(self._post)
        self._followers: list[Follower] = [
            *(TableFollower(table, self._desk, clock=clock) for table in TABLES),
            self._accounting,
            LogFollower(router, [self._desk.read, security.read], clock=clock),
            PlacesFollower(self._desk),
            *followers_of(self._post, security),
        ]

    @property
    def router(self) -> Router:
        """The router as the inventory has it."""
        return self._post.router

    def renew(self, router: Router) -> bool:
        """Go on with a changed entry on the same connection; False if it asks for another connection."""
        if _way(router) != _way(self.router):
            return False
        self._post.router = self._desk.router = router
        return True

    @property
    def reachable(self) -> bool:
        """Whether the router can be asked, as was told."""
        return self._reach.hard is Reachability.REACHABLE

    @property
    def leases_quiet(self) -> bool:
        """Whether the router has too many leases to tell one by one."""
        return self._post.leases_quiet

    @property
    def open_sessions(self) -> int:
        """How many subscribers are on line, as far as we know."""
        return len(self._desk)

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
        accounted = self._accounting.sessions()
        return {service: [*book.sessions(), *accounted.get(service, ())] for service, book in self._desk.books.items()}

    def _own_desk(self, router_id: RouterId) -> SessionDesk | None:
        return self._desk if router_id == self.router.id else None

    async def run(self) -> None:
        """Stay connected and tell until cancelled. A router whose password cannot be opened is told unreachable."""
        try:
            async with self._hearsay.attached(self.router.id, self._desk) if self._hearsay else nullcontext():
                await self._run()
                await asyncio.Event().wait()  # what its scripts say counts also if it cannot be asked for good
        finally:
            self._desk.finish()

    async def _run(self) -> None:
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
                        self._counts.logins += 1
                        self._answered(state.session)
                        following = asyncio.create_task(self._follow(state.session), name=f"followers {address}")
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

    # ── what it says of itself ──────────────────────────────────────────────────────────────────────────────────────

    def _sessions_by_service(self) -> dict[Service, int]:
        return {service: len(book) for service, book in self._desk.books.items()}

    async def _follow(self, session: Session) -> None:
        """All followers side by side; the end of the connection ends them all and closes no session."""
        async with asyncio.TaskGroup() as group:
            for follower in self._followers:
                group.create_task(self._keep_following(follower, session))

    async def _keep_following(self, follower: Follower, session: Session) -> None:
        """A follower that crashes is our bug: it is said, and tried again, and ends no other."""
        while session.is_open:
            try:
                await follower.follow(session)
            except Unreachable as gone:
                log.debug("out of sight", router=self.router.name, follower=follower.name, reason=str(gone))
            except Exception:
                self._counts.crashes += 1
                log.exception("a follower crashed", router=self.router.name, follower=follower.name)
                await asyncio.sleep(_AFTER_CRASH_S)
                continue
            return


def _way(router: Router) -> tuple[object, ...]:
    """What makes another connection necessary."""
    return router.host, router.port, router.tls, router.tls_fingerprint, router.username, router.sealed_password


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
