"""Keeps one session to one router alive and tells when it is up or down.

    async with RouterLink(address) as link:
        async with link.session(deadline=5) as session: ...     # "could not ask" is an error, never emptiness
        async for state in link.states(): ...                   # LinkUp(session), LinkDown(error, retry_in)

One connection per router, and a growing pause after each failure: every login is a line in the router's log.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self
from weakref import WeakSet

from shared.clock import Clock, SystemClock
from shared.errors import NotAllowed, RondaError, Unreachable
from shared.routeros.address import RouterAddress
from shared.routeros.port import Session
from shared.routeros.session import RouterSession

Connect = Callable[[RouterAddress], Awaitable[Session]]
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class Backoff:
    """Seconds to wait after the n-th failure in a row: 1, 2, 4 … 60, each ± 20 %."""

    first: float = 1.0
    factor: float = 2.0
    most: float = 60.0
    jitter: float = 0.2
    after_refusal: float = 60.0
    """Least pause after a refused login: more tries only fill the router's log."""
    settled_after: float = 60.0
    """A session that lived this long was a good one: the next failure counts as the first."""

    def pause(self, failures: int, chance: float, *, refused: bool = False) -> float:
        """The pause after `failures` (1 or more) in a row; `chance` is in [0, 1)."""
        grown = self.first * self.factor ** min(failures - 1, 32)
        middle = max(min(grown, self.most), self.after_refusal if refused else 0.0)
        return middle * (1 + self.jitter * (2 * chance - 1))


@dataclass(frozen=True)
class LinkUp:
    """The router answers; `session` serves until the next LinkDown."""

    session: Session
    at: datetime


@dataclass(frozen=True)
class LinkDown:
    """No session. `error` says why, `retry_in` the seconds to the next try (None: never tried yet)."""

    error: RondaError
    at: datetime
    retry_in: float | None = None


LinkState = LinkUp | LinkDown


class LinkStates:
    """An async iterator over states; one that nobody holds any more costs nothing."""

    def __init__(self, present: LinkState) -> None:
        self._queue: asyncio.Queue[LinkState | None] = asyncio.Queue()
        self.put(present)

    def put(self, state: LinkState | None) -> None:
        """Tell a state; None ends the iteration."""
        self._queue.put_nowait(state)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> LinkState:
        state = await self._queue.get()
        if state is None:
            raise StopAsyncIteration
        return state


class RouterLink:
    """Owner of one router's session. Enter it to start, leave it to close."""

    def __init__(
        self,
        address: RouterAddress,
        *,
        clock: Clock | None = None,
        backoff: Backoff | None = None,
        connect: Connect = RouterSession.connect,
        sleep: Sleep = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.address = address
        self._clock = clock or SystemClock()
        self._backoff = backoff or Backoff()
        self._connect = connect
        self._sleep = sleep
        self._chance = chance
        self._state: LinkState = LinkDown(Unreachable(f"{address}: not connected yet"), self._clock.now())
        self._changed = asyncio.Condition()
        self._watchers: WeakSet[LinkStates] = WeakSet()
        self._task: asyncio.Task[None] | None = None

    @property
    def state(self) -> LinkState:
        """Up or down, as of now."""
        return self._state

    @contextlib.asynccontextmanager
    async def session(self, deadline: float = 5.0) -> AsyncIterator[Session]:
        """The live session, waiting up to `deadline` seconds for one.

        Raises Unreachable or NotAllowed with the reason of the last failure: the router could not be asked.
        """
        yield await self._live_session(deadline)

    async def _live_session(self, deadline: float) -> Session:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(deadline), self._changed:
                await self._changed.wait_for(self._usable)
        state = self._state
        if isinstance(state, LinkUp) and state.session.is_open:
            return state.session
        if isinstance(state, LinkDown) and isinstance(state.error, NotAllowed):
            raise type(state.error)(str(state.error))
        reason = str(state.error) if isinstance(state, LinkDown) else f"{self.address}: connection just ended"
        raise Unreachable(reason, retry_after=state.retry_in if isinstance(state, LinkDown) else None)

    def _usable(self) -> bool:
        """Whether waiting further makes no sense: up, or refused for a reason that stays."""
        state = self._state
        if isinstance(state, LinkUp):
            return state.session.is_open
        return isinstance(state.error, NotAllowed)

    def states(self) -> LinkStates:
        """The present state, then every change from now on, until the link is left. Nothing is skipped."""
        states = LinkStates(self._state)
        self._watchers.add(states)
        return states

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._stay_connected(), name=f"routeros-link {self.address}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            if not self._task.cancelled():
                self._task.result()  # only a fault of our own ends it otherwise
        for watcher in self._watchers:
            watcher.put(None)

    async def _stay_connected(self) -> None:
        failures = 0
        while True:
            began = self._clock.monotonic()
            error = await self._live_once()
            lived = self._clock.monotonic() - began
            failures = 1 if lived >= self._backoff.settled_after else failures + 1
            pause = self._backoff.pause(failures, self._chance(), refused=isinstance(error, NotAllowed))
            await self._tell(LinkDown(error, self._clock.now(), pause))
            await self._sleep(pause)

    async def _live_once(self) -> RondaError:
        """Connect and stay until the connection ends; why it ended (or never began)."""
        try:
            session = await self._connect(self.address)
        except RondaError as error:
            return error
        try:
            await self._tell(LinkUp(session, self._clock.now()))
            return await session.wait_ended()
        finally:
            await session.close()

    async def _tell(self, state: LinkState) -> None:
        async with self._changed:
            self._state = state
            self._changed.notify_all()
        for watcher in self._watchers:
            watcher.put(state)
