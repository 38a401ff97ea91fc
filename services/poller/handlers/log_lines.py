"""Follow a router's log, for whoever reads lines: one listen for all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.poller.handlers.table_loop import keep_following
from shared.clock import Clock
from shared.contracts.inventory import Router
from shared.routeros import RowChanged, Session, printable

_COLUMNS = ("time", "topics", "message")


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line as it came; `at` by our clock, for a router's own may stand anywhere."""

    topics: str
    message: str
    at: datetime


LogReader = Callable[[LogLine], None]


class LogFollower:
    """The log of one router from now on. Lines of before the listen are not read."""

    name = "log"

    def __init__(self, router: Router, readers: Sequence[LogReader], *, clock: Clock) -> None:
        self._router = router
        self._readers = readers
        self._clock = clock
        self._columns: tuple[str, ...] = _COLUMNS

    async def follow(self, session: Session) -> None:
        """Give lines to the readers until the connection ends (Unreachable) or the router shows no log."""
        names = {"router": self._router.name, "table": "/log"}
        await keep_following(lambda: self._once(session), names=names, simpler=self._all_columns)

    def _all_columns(self) -> bool:
        had, self._columns = bool(self._columns), ()
        return had

    async def _once(self, session: Session) -> None:
        async with session.listen("/log", self._columns) as lines:
            async for change in lines:
                if isinstance(change, RowChanged) and (message := change.row.get("message")):
                    line = LogLine(change.row.get("topics", ""), printable(message), self._clock.now())
                    for read in self._readers:
                        read(line)
