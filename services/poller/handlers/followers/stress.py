"""Tell when readings are beyond the router's limits, and when they are well inside again."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from services.poller.core.limits import Fact, LimitBook, Strain, Stressed, limits_of
from services.poller.core.router_records import StressRecord
from services.poller.core.vitals import limited
from services.poller.handlers.followers.post import Post
from shared.contracts.events import RouterRelieved, RouterStressed
from shared.contracts.samples import Reading
from shared.contracts.vocabulary import RouterResource

_KIND = "stress"


class StressTeller:
    """The limits of one router, shared by the looks that read something which has one."""

    def __init__(self, post: Post) -> None:
        self._post = post
        known = post.notebook.all(_KIND, StressRecord)
        self._book = LimitBook(
            ((one.resource, one.part), Strain(since=one.since, limit=one.limit, unit=one.unit)) for one in known
        )

    def interrupted(self) -> None:
        """The router could not be asked for a while."""
        self._book.interrupted()

    def judge(self, readings: Sequence[Reading], read: Collection[RouterResource]) -> None:
        """Count readings of now; `read` names the resources that were really read."""
        limits = limits_of(self._post.router.limits)
        for fact in self._book.judge(limited(readings), limits, self._post.clock.now(), read):
            self._tell(fact)

    def _tell(self, fact: Fact) -> None:
        part = f"{fact.resource}.{fact.part}" if fact.part else str(fact.resource)
        fields = {
            **self._post.common(self._post.clock.now()),
            "resource": fact.resource,
            "part": fact.part,
            "value": fact.value,
            "limit": fact.limit,
            "unit": fact.unit,
        }
        if isinstance(fact, Stressed):
            record = StressRecord(
                order=int(fact.since.timestamp()),
                resource=fact.resource,
                part=fact.part,
                since=fact.since,
                limit=fact.limit,
                unit=fact.unit,
            )
            self._post.notebook.tell(_KIND, part, RouterStressed(**fields, since=fact.since), record)
        else:
            event = RouterRelieved(**fields, stressed_since=fact.stressed_since)
            self._post.notebook.tell(_KIND, part, event, None)
