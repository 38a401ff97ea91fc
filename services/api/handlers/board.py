"""The board: read the facts, judge them; and tell who watches it which parts have changed."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

import structlog

from services.api.core.board import Board, make_board
from services.api.handlers.live import BoardBell
from services.api.ports import Store
from shared.clock import Clock
from shared.errors import RondaError

log = structlog.get_logger(__name__)

COALESCE_S = 0.12  # a burst of events is one refresh; well below what an eye notices
LOOK_S = 2.0  # another process may have projected an event without ringing our bell
FRAGMENTS = ("sentence", "problems", "sites", "routers", "events")


async def read_board(store: Store, clock: Clock) -> Board:
    """How it is now."""
    async with store.unit() as unit:
        return make_board(await unit.history.board(clock.now()))


def fragment_marks(board: Board) -> dict[str, str]:
    """A fingerprint per part of the page: different if, and only if, the part shows something else."""
    sums = (board.hosts_total, board.routers_total, board.sessions_total, board.sessions_known)
    return {
        "sentence": mark((sums, board.problems, board.work)),
        "problems": mark(board.problems),
        "sites": mark(board.sites),
        "routers": mark([site.routers for site in board.sites]),
        "events": mark(board.events),
    }


def mark(value: Any) -> str:
    """A short fingerprint of what a part shows."""
    return hashlib.sha256(repr(value).encode()).hexdigest()[:12]


class BoardWatch:
    """One reading of the board per change, however many browsers look at it."""

    def __init__(self, store: Store, bell: BoardBell, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._bell = bell
        self._watchers: set[asyncio.Queue[frozenset[str]]] = set()
        self._someone = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled. Reads nothing while nobody looks."""
        marks: Mapping[str, str] = {}
        while True:
            await self._someone.wait()
            seen = self._bell.count
            now = await self._read_marks()
            if now is not None:
                self._tell(frozenset(name for name in now if now[name] != marks.get(name)))
                marks = now
            await self._bell.wait(seen, LOOK_S)
            await asyncio.sleep(COALESCE_S)

    async def changes(self) -> AsyncIterator[frozenset[str]]:
        """Which fragments have changed, whenever some have."""
        queue: asyncio.Queue[frozenset[str]] = asyncio.Queue()
        self._watchers.add(queue)
        self._someone.set()
        try:
            while True:
                changed = await queue.get()
                while not queue.empty():  # a slow browser gets one answer for all that it missed
                    changed |= queue.get_nowait()
                yield changed
        finally:
            self._watchers.discard(queue)
            if not self._watchers:
                self._someone.clear()

    async def _read_marks(self) -> dict[str, str] | None:
        try:
            return fragment_marks(await read_board(self._store, self._clock))
        except RondaError as trouble:
            log.warning("board cannot be read", reason=str(trouble))
            return None

    def _tell(self, changed: frozenset[str]) -> None:
        if changed:
            for queue in self._watchers:
                queue.put_nowait(changed)
