"""How full the address pools of a router are, at an interval.

From 7.17 on a pool says so itself; before, the router is asked to count. The table of used addresses is never read.
"""

from __future__ import annotations

from services.poller.core.vitals import pool_readings, pool_size
from services.poller.handlers.followers.post import Post
from services.poller.handlers.followers.stress import StressTeller
from shared.contracts.samples import Reading
from shared.contracts.vocabulary import RouterResource
from shared.routeros import Row, Session, equals, printable

_COLUMNS = ("name", "ranges", "total", "used")
_MOST_COUNTED = 32  # pools that are counted one by one: each count walks the router's table of used addresses


class PoolsLook:
    """The pools of one router."""

    name = "pools"

    def __init__(self, post: Post, stress: StressTeller) -> None:
        self._post = post
        self._stress = stress

    @property
    def every_s(self) -> float:
        return 2 * self._post.pace.interval_s

    def begin(self) -> None:
        """The limits are told of the break by the look at the vitals."""

    async def look(self, session: Session) -> None:
        """Read, judge, publish."""
        rows = await session.print_rows("/ip/pool", _COLUMNS)
        readings: list[Reading] = []
        for row in rows[:_MOST_COUNTED] if any("used" not in row for row in rows) else rows:
            readings += pool_readings(printable(row.get("name", "")), await _used(session, row), _total(row))
        self._stress.judge(readings, {RouterResource.POOL})
        await self._post.measured(readings)


async def _used(session: Session, row: Row) -> int:
    said = row.get("used", "")
    return int(said) if said.isdigit() else await session.count("/ip/pool/used", equals("pool", row.get("name", "")))


def _total(row: Row) -> int | None:
    said = row.get("total", "")
    return int(said) if said.isdigit() else pool_size(row.get("ranges", ""))
