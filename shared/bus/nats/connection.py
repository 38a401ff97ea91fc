"""Always one session, or on the way to the next: with growing delay, for ever."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog

from shared.bus.nats.session import Session
from shared.clock import Clock
from shared.errors import RondaError, Unreachable

log = structlog.get_logger("bus")

_FIRST_DELAY_S = 0.1
_LONGEST_DELAY_S = 2.0  # a server that is back must not wait long for its services

Prepare = Callable[[Session], Awaitable[None]]


class Connection:
    """Opens sessions one after the other; whoever needs one asks `session`."""

    def __init__(self, url: str, *, name: str, clock: Clock, prepare: Prepare) -> None:
        self._url = url
        self._name = name
        self._clock = clock
        self._prepare = prepare  # runs on every new session before others may use it
        self._session: Session | None = None
        self._changed = asyncio.Condition()
        self._away_since = clock.monotonic()
        self._ended = False

    @property
    def connected(self) -> bool:
        """Whether there is a session that is not known to be broken."""
        return self._session is not None and self._session.alive

    def healthy(self, grace: timedelta) -> bool:
        """Connected, or away for less than `grace`: a restart of the server is no reason to restart the services."""
        return self.connected or self._clock.monotonic() - self._away_since < grace.total_seconds()

    @asynccontextmanager
    async def opened(self, *, wait_s: float, patient: bool = False) -> AsyncIterator[Connection]:
        """Hold a connection open. Raises NotAllowed at once, Unreachable if there is no session after `wait_s`.

        `patient`: without a session after `wait_s` go on all the same; there will be one later.
        """
        first = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._run(first), name="bus connection")
        try:
            async with asyncio.timeout(wait_s):
                await asyncio.shield(first)
        except TimeoutError as late:
            if not patient:
                await self._stop(task)
                error = first.exception() if first.done() else None
                raise Unreachable(f"the bus does not answer within {wait_s:g} s") from (error or late)
            first.cancel()  # nobody waits for it any more
        except BaseException:
            await self._stop(task)
            raise
        try:
            yield self
        finally:
            await self._stop(task)

    async def session(self, *, wait_s: float) -> Session:
        """The present session, or the next if it comes within `wait_s` seconds; raises Unreachable otherwise."""
        session = self._session
        if session is not None and session.alive:
            return session
        try:
            async with asyncio.timeout(wait_s), self._changed:
                await self._changed.wait_for(lambda: self.connected or self._ended)
        except TimeoutError as late:
            raise Unreachable("the bus does not answer") from late
        if self._session is None or self._ended:
            raise Unreachable("the connection to the bus is closed")
        return self._session

    async def _stop(self, task: asyncio.Task[None]) -> None:
        self._ended = True
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        async with self._changed:
            self._changed.notify_all()

    async def _run(self, first: asyncio.Future[None]) -> None:
        delay = _FIRST_DELAY_S
        while True:
            session = Session()
            try:
                await session.open(self._url, name=self._name)
                await self._prepare(session)
                await self._announce(session)
                if not first.done():
                    first.set_result(None)
                delay = _FIRST_DELAY_S
                await session.ended()
                log.warning("bus lost")
            except RondaError as error:
                log.warning("bus not reached", reason=str(error), retry_in_s=round(delay, 2))
                if not error.retryable and not first.done():
                    first.set_exception(error)
                    return
            finally:
                self._away_since = self._clock.monotonic() if self._session is session else self._away_since
                self._session = None
                await session.close()
            await asyncio.sleep(delay * (0.5 + random.random() / 2))  # noqa: S311 only to spread the services
            delay = min(delay * 2, _LONGEST_DELAY_S)

    async def _announce(self, session: Session) -> None:
        async with self._changed:
            self._session = session
            self._changed.notify_all()
        log.info("bus connected", server=session.client.connected_url.hostname if session.client.connected_url else "")
