"""Neighbours that a router has not seen before, at an interval: their table changes with every announcement, so a
listen would say the same all day."""

from __future__ import annotations

from services.poller.core.neighbors import COLUMNS, Neighbor, NeighborBook, read_neighbor
from services.poller.core.router_records import NeighborsRecord
from services.poller.handlers.followers.post import Post
from shared.contracts.events import NeighborSeen
from shared.routeros import Session

_KIND = "neighbors"


class NeighborsLook:
    """The neighbours of one router."""

    name = "neighbors"

    def __init__(self, post: Post) -> None:
        self._post = post
        known = post.notebook.one(_KIND, NeighborsRecord)
        self._book = NeighborBook(None) if known is None else NeighborBook(known.macs, known.order)

    @property
    def every_s(self) -> float:
        return 2 * self._post.pace.interval_s

    def begin(self) -> None:
        """Who is known stays known."""

    async def look(self, session: Session) -> None:
        """Read, and tell the new ones."""
        rows = await session.print_rows("/ip/neighbor", COLUMNS)
        new, remember = self._book.look(one for one in map(read_neighbor, rows) if one is not None)
        if not remember:
            return
        record = NeighborsRecord(order=self._book.count, macs=self._book.remembered())
        if not new:
            self._post.notebook.tell(_KIND, "", None, record)
        for one in new:
            self._post.notebook.tell(_KIND, "", self._event(one), record)

    def _event(self, one: Neighbor) -> NeighborSeen:
        return NeighborSeen(
            **self._post.common(self._post.clock.now()),
            interface=one.interface,
            mac=one.mac,
            address=one.address,
            identity=one.identity,
            board=one.board,
            version=one.version,
        )
