"""Looks at a router at an interval: one after the other on the one connection, spread so that routers take turns.

A look that fails or crashes is tried again at its next turn and never ends the others.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Sequence
from typing import Protocol

import structlog

from services.poller.handlers.followers.post import Post
from shared.errors import RondaError, Unreachable
from shared.routeros import FeatureMissing, Session

_FIRST_WITHIN_S = 5.0  # after a connection, so that a new router soon shows something

log = structlog.get_logger(__name__)


class Look(Protocol):
    """Something to read now and then."""

    @property
    def name(self) -> str: ...

    @property
    def every_s(self) -> float: ...

    def begin(self) -> None:
        """A connection was opened: what was measured before is not in a row with what comes."""
        ...

    async def look(self, session: Session) -> None:
        """Read and tell. Raises FeatureMissing if the router lacks it; other errors are tried again."""
        ...


class Rounds:
    """All looks at one router, in one task."""

    name = "rounds"

    def __init__(self, post: Post, looks: Sequence[Look]) -> None:
        self._post = post
        self._looks = looks
        self._trouble: dict[str, str] = {}

    async def follow(self, session: Session) -> None:
        """Look in turn until the connection ends; returns if there is nothing to look at."""
        clock = asyncio.get_running_loop().time
        due: dict[Look, float] = {}
        for look in self._looks:
            look.begin()
            due[look] = clock() + self._share(look) * min(_FIRST_WITHIN_S, look.every_s)
        while due:
            look = min(due, key=due.__getitem__)
            await asyncio.sleep(max(0.0, due[look] - clock()))
            try:
                await self._look(look, session)
            except FeatureMissing:
                del due[look]  # a package that is not installed, a board without sensors: until the next connection
                continue
            due[look] = self._next_turn(look, clock())

    async def _look(self, look: Look, session: Session) -> None:
        self._post.counts.looks += 1
        try:
            await look.look(session)
            self._trouble.pop(look.name, None)
        except (Unreachable, FeatureMissing):
            raise
        except RondaError as problem:
            self._post.counts.looks_failed += 1
            self._say(look, str(problem))
        except Exception:
            self._post.counts.crashes += 1
            log.exception("a look at a router crashed", router=self._post.router.name, look=look.name)

    def _say(self, look: Look, problem: str) -> None:
        if self._trouble.get(look.name) != problem:  # changes, not repetitions
            self._trouble[look.name] = problem
            log.warning("a router cannot be looked at", router=self._post.router.name, look=look.name, reason=problem)

    def _share(self, look: Look) -> float:
        """Where in the interval this router's turn is, from 0 to 1: always the same, another for each router."""
        return zlib.crc32(f"{self._post.router.id}:{look.name}".encode()) / (1 << 32)

    def _next_turn(self, look: Look, now: float) -> float:
        """The next moment of its own that leaves at least half an interval: no drift, and no bunch after an outage."""
        turn = self._share(look) * look.every_s
        passed = (now - turn) // look.every_s
        following = turn + (passed + 1) * look.every_s
        return following if following - now >= look.every_s / 2 else following + look.every_s
