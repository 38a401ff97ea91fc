"""What the board says: how it is in one sentence, the problems worst first, every site, router and host.

Everything here is judged from facts that were read before; texts are made by the console, in the reader's language.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.api.core.announced import WorkNow
from services.api.core.causes import behind
from services.api.core.facts import BoardEvent, BoardFacts
from services.api.core.problems import Problem, find_problems
from services.api.core.sites import SiteRow, site_row
from services.api.core.standings import RouterState


@dataclass(frozen=True, slots=True)
class Board:
    """The whole first page."""

    sites: tuple[SiteRow, ...]
    problems: tuple[Problem, ...]
    events: tuple[BoardEvent, ...]
    hosts_total: int
    routers_total: int
    sessions_total: int
    sessions_known: bool  # False: a router is blind, so the count is only what we know
    work: tuple[WorkNow, ...] = ()  # announced, and lasting now; what ends first comes first

    @property
    def empty(self) -> bool:
        """Nothing to watch yet."""
        return self.hosts_total == 0 and self.routers_total == 0


def make_board(facts: BoardFacts) -> Board:
    """Judge the facts."""
    explained = behind(facts)
    rows = tuple(site_row(site, facts, explained) for site in facts.sites)
    routers = [router for row in rows for router in row.routers]
    return Board(
        sites=rows,
        problems=find_problems(rows, explained, facts),
        events=facts.events,
        hosts_total=sum(len(row.hosts) for row in rows),
        routers_total=len(routers),
        sessions_total=sum(row.sessions for row in rows),
        work=tuple(sorted(facts.work, key=lambda each: (each.until, each.work.title))),
        sessions_known=all(router.state is RouterState.REACHABLE for router in routers if router.enabled),
    )
