"""Addresses that a router's DHCP server gives out and gets back.

A table with more bound leases than `pace.leases_most` is counted and not told: thousands of phones that come and go
are no news, and each would be an event and a key in the memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import structlog

from services.poller.core.leases import COLUMNS, Bound, Fact, Held, Lease, LeaseBook, read_lease
from services.poller.core.router_records import LeaseRecord, LeasesRecord
from services.poller.handlers.followers.feed import Feed, Table
from services.poller.handlers.followers.post import Post
from shared.contracts.events import LeaseBound, LeaseReleased
from shared.routeros import Row, Session, equals

LEASES = Table("/ip/dhcp-server/lease", COLUMNS, equals("status", "bound"))
_KIND, _LOOKED = "lease", "leases"
_LOUD_AGAIN = 0.9  # of the most

log = structlog.get_logger(__name__)


class LeaseFollower:
    """The leases of one router."""

    name = "leases"

    def __init__(self, post: Post) -> None:
        self._post = post
        records = post.notebook.all(_KIND, LeaseRecord)
        self.book = LeaseBook(Held(r.address, r.mac, r.server, r.host_name, r.since, r.order) for r in records)
        self.bound: int | None = None
        """How many are bound; None until somebody has looked."""
        self.quiet = post.pace.leases_most == 0

    async def follow(self, session: Session) -> None:
        """Tell until the connection ends; returns at once where leases are not wanted."""
        if self._post.pace.leases_most > 0:
            await Feed(LEASES, self, self._post.clock, router=self._post.router.name).follow(session)

    def changed(self, row: Row, now: datetime) -> None:
        """A row was added or changed."""
        if not self.quiet:
            self._tell(self.book.seen(row.get(".id", ""), read_lease(row), now))

    def gone(self, row_id: str, now: datetime) -> None:
        """A row was removed."""
        if not self.quiet:
            self._tell(self.book.gone(row_id, now))

    def compare(self, rows: list[Row], now: datetime, *, asked_at: datetime, missed: bool) -> None:  # noqa: ARG002
        """All bound leases. The first look at a router is no news: nobody knows since when they are bound."""
        leases = [lease for lease in map(read_lease, rows) if lease is not None]
        self.bound = len(leases)
        if not self._loud(leases):
            return
        news = self._post.notebook.one(_LOOKED, LeasesRecord) is not None
        self._tell(self.book.compare(leases, now, asked_at=asked_at, news=news))
        if not news:
            self._post.notebook.tell(_LOOKED, "", None, LeasesRecord(order=int(now.timestamp())))

    def _loud(self, leases: list[Lease]) -> bool:
        """Whether the leases are few enough to be told one by one."""
        most = self._post.pace.leases_most
        quiet = len(leases) > most * (_LOUD_AGAIN if self.quiet else 1)
        if quiet != self.quiet:
            self.quiet = quiet
            self._post.leases_quiet = quiet
            log.info("leases are too many to be told" if quiet else "leases are told", **self._names)
        if quiet:
            for held in self.book.clear():
                self._post.notebook.tell(_KIND, held.address, None, None)
            self._post.notebook.tell(_LOOKED, "", None, None)
        return not quiet

    @property
    def _names(self) -> dict[str, object]:
        return {"router": self._post.router.name, "bound": self.bound}

    def _tell(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            held = fact.held
            fields = {
                **self._post.common(fact.at),
                "server": held.server,
                "address": held.address,
                "mac": held.mac,
                "host_name": held.host_name,
                "inferred": fact.inferred,
            }
            if isinstance(fact, Bound):
                event = LeaseBound(**fields) if fact.news else None
                self._post.notebook.tell(_KIND, held.address, event, _record(held))
            else:
                self._post.notebook.tell(_KIND, held.address, LeaseReleased(**fields), None)


def _record(held: Held) -> LeaseRecord:
    return LeaseRecord(
        order=held.number,
        address=held.address,
        mac=held.mac,
        server=held.server,
        host_name=held.host_name,
        since=held.since,
    )
