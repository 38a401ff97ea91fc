"""What the board says: how it is in one sentence, the problems worst first, every site, router and host.

Everything here is judged from facts that were read before; texts are made by the console, in the reader's language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.contracts.inventory import Host, Router, Site
from shared.contracts.vocabulary import HostState, LikelyCause

WORST_FIRST: tuple[HostState, ...] = (
    HostState.DOWN,
    HostState.UNREACHABLE,
    HostState.FLAPPING,
    HostState.DEGRADED,
    HostState.SUSPECT,
    HostState.UNKNOWN,
    HostState.MAINTENANCE,
    HostState.UP,
)
_RANK = {state: rank for rank, state in enumerate(WORST_FIRST)}
PROBLEM_STATES = frozenset(
    {HostState.DOWN, HostState.UNREACHABLE, HostState.FLAPPING, HostState.DEGRADED, HostState.UNKNOWN}
)


class RouterState(StrEnum):
    """Whether a router's API can be asked."""

    REACHABLE = "reachable"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class HostStanding:
    """The last hard state of a host. `since` is when it began, `transition` orders what was told."""

    host_id: str
    state: HostState
    since: datetime
    transition: int
    rtt_ms: float | None = None
    likely_causes: tuple[LikelyCause, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class RouterStanding:
    """The last that was told of the connection to a router."""

    router_id: str
    state: RouterState
    since: datetime
    transition: int
    identity: str | None = None
    version: str | None = None
    board: str | None = None
    uptime_s: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class BoardEvent:
    """One line of the last events."""

    id: str
    type: str
    at: datetime
    site_id: str | None
    body: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class BoardFacts:
    """Everything the board is judged from, read in one transaction."""

    sites: tuple[Site, ...] = ()
    routers: tuple[Router, ...] = ()
    hosts: tuple[Host, ...] = ()
    host_standings: Mapping[str, HostStanding] | None = None
    router_standings: Mapping[str, RouterStanding] | None = None
    sessions: Mapping[str, int] | None = None  # open now, by router
    events: tuple[BoardEvent, ...] = ()
    failed_accounts: int = 0


@dataclass(frozen=True, slots=True)
class HostCell:
    """One segment of a site's bar."""

    id: str
    name: str
    address: str
    state: HostState
    since: datetime | None
    rtt_ms: float | None


@dataclass(frozen=True, slots=True)
class RouterRow:
    """One router."""

    id: str
    name: str
    address: str
    state: RouterState
    since: datetime | None
    version: str | None
    board: str | None
    sessions: int
    reason: str | None
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class SiteRow:
    """One site with its hosts and routers."""

    id: str
    name: str
    state: HostState
    hosts: tuple[HostCell, ...]
    routers: tuple[RouterRow, ...]
    sessions: int
    worst_rtt_ms: float | None
    changed_at: datetime | None

    @property
    def answering(self) -> int:
        """How many hosts are up."""
        return sum(host.state is HostState.UP for host in self.hosts)


class ProblemKind(StrEnum):
    """What has trouble."""

    HOST = "host"
    ROUTER = "router"
    ACCOUNTS = "accounts"


@dataclass(frozen=True, slots=True)
class Problem:
    """One card. `affected`: sessions at the site, None when that is not known."""

    kind: ProblemKind
    id: str
    name: str
    address: str
    site_name: str
    state: HostState
    since: datetime | None
    affected: int | None = None
    likely_causes: tuple[LikelyCause, ...] = ()
    reason: str | None = None
    count: int = 1


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

    @property
    def empty(self) -> bool:
        """Nothing to watch yet."""
        return self.hosts_total == 0 and self.routers_total == 0


def make_board(facts: BoardFacts) -> Board:
    """Judge the facts."""
    rows = tuple(_site_row(site, facts) for site in facts.sites)
    routers = [router for row in rows for router in row.routers]
    return Board(
        sites=rows,
        problems=_problems(rows, facts),
        events=facts.events,
        hosts_total=sum(len(row.hosts) for row in rows),
        routers_total=len(routers),
        sessions_total=sum(row.sessions for row in rows),
        sessions_known=all(router.state is RouterState.REACHABLE for router in routers if router.enabled),
    )


def worst(states: Sequence[HostState]) -> HostState:
    """The state that needs eyes first; UNKNOWN when there is none."""
    return min(states, key=_RANK.__getitem__, default=HostState.UNKNOWN)


def _site_row(site: Site, facts: BoardFacts) -> SiteRow:
    hosts = tuple(_cell(host, facts) for host in facts.hosts if host.site_id == site.id and host.enabled)
    routers = tuple(_router_row(router, facts) for router in facts.routers if router.site_id == site.id)
    changes = [since for since in (*(h.since for h in hosts), *(r.since for r in routers)) if since is not None]
    states = [host.state for host in hosts] + [_as_host_state(r.state) for r in routers if r.enabled]
    return SiteRow(
        id=site.id,
        name=site.name,
        state=worst(states),
        hosts=hosts,
        routers=routers,
        sessions=sum(router.sessions for router in routers),
        worst_rtt_ms=max((host.rtt_ms for host in hosts if host.rtt_ms is not None), default=None),
        changed_at=max(changes, default=None),
    )


def _cell(host: Host, facts: BoardFacts) -> HostCell:
    standing = (facts.host_standings or {}).get(host.id)
    if standing is None:
        return HostCell(host.id, host.name, host.address, HostState.UNKNOWN, None, None)
    return HostCell(host.id, host.name, host.address, standing.state, standing.since, standing.rtt_ms)


def _router_row(router: Router, facts: BoardFacts) -> RouterRow:
    standing = (facts.router_standings or {}).get(router.id)
    return RouterRow(
        id=router.id,
        name=router.name,
        address=f"[{router.host}]:{router.port}" if ":" in router.host else f"{router.host}:{router.port}",
        state=standing.state if standing else RouterState.UNKNOWN,
        since=standing.since if standing else None,
        version=standing.version if standing else None,
        board=standing.board if standing else None,
        sessions=(facts.sessions or {}).get(router.id, 0),
        reason=standing.reason if standing else None,
        enabled=router.enabled,
    )


def _as_host_state(state: RouterState) -> HostState:
    return {
        RouterState.REACHABLE: HostState.UP,
        RouterState.UNREACHABLE: HostState.DOWN,
        RouterState.UNKNOWN: HostState.UNKNOWN,
    }[state]


def _problems(rows: tuple[SiteRow, ...], facts: BoardFacts) -> tuple[Problem, ...]:
    found = [problem for row in rows for problem in (*_host_problems(row, facts), *_router_problems(row))]
    if facts.failed_accounts:
        found.append(
            Problem(ProblemKind.ACCOUNTS, "accounts", "", "", "", HostState.DEGRADED, None, count=facts.failed_accounts)
        )
    return tuple(sorted(found, key=_badness))


def _badness(problem: Problem) -> tuple[int, int, float, str]:
    # Worst state first, then who hurts most people, then the newest: an old problem is known already.
    newest_first = -problem.since.timestamp() if problem.since else 0.0
    return (_RANK[problem.state], -(problem.affected or 0), newest_first, problem.name)


def _host_problems(row: SiteRow, facts: BoardFacts) -> list[Problem]:
    problems = []
    for host in row.hosts:
        if host.state not in PROBLEM_STATES or host.since is None:  # not told yet is "new", not "wrong"
            continue
        standing = (facts.host_standings or {})[host.id]
        problems.append(
            Problem(
                ProblemKind.HOST,
                host.id,
                host.name,
                host.address,
                row.name,
                host.state,
                host.since,
                affected=row.sessions if row.routers else None,
                likely_causes=standing.likely_causes,
                reason=standing.reason,
            )
        )
    return problems


def _router_problems(row: SiteRow) -> list[Problem]:
    return [
        Problem(
            ProblemKind.ROUTER,
            router.id,
            router.name,
            router.address,
            row.name,
            HostState.DOWN,
            router.since,
            affected=router.sessions,
            reason=router.reason,
        )
        for router in row.routers
        if router.enabled and router.state is RouterState.UNREACHABLE
    ]


def longest(problems: Sequence[Problem], now: datetime) -> timedelta:
    """How long the oldest problem has lasted."""
    return max((now - problem.since for problem in problems if problem.since), default=timedelta())
