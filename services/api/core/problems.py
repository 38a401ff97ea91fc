"""The problems of the board, worst first: one card per cause, with what is behind it as a count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from services.api.core.alerts import Alert
from services.api.core.causes import Kind, Thing
from services.api.core.facts import BoardFacts
from services.api.core.sites import HostCell, RouterRow, SiteRow
from services.api.core.standings import RANK, RouterState
from shared.contracts.vocabulary import HostState, LikelyCause, Severity

STANDING_KINDS = frozenset(
    {"host.down", "host.flapping", "host.degraded", "host.silent", "router.unreachable"}
)  # alerts of what the rows show themselves
SHOWN_BY_THE_ROW = frozenset({"host.down", "host.silent", "router.unreachable"})  # of which the row says all there is
_LOOKS = {Severity.CRITICAL: HostState.DOWN, Severity.WARNING: HostState.DEGRADED, Severity.INFO: HostState.UNKNOWN}
PROBLEM_STATES = frozenset(
    {HostState.DOWN, HostState.UNREACHABLE, HostState.FLAPPING, HostState.DEGRADED, HostState.UNKNOWN}
)


class ProblemKind(StrEnum):
    """What has trouble."""

    HOST = "host"
    ROUTER = "router"
    ACCOUNTS = "accounts"
    ALERT = "alert"  # something else that people were told of


@dataclass(frozen=True, slots=True)
class Problem:
    """One card. `affected`: sessions at all sites that it touches, None when that is not known."""

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
    hosts_behind: tuple[str, ...] = ()  # names of what this explains
    routers_behind: tuple[str, ...] = ()
    alert: Alert | None = None
    seen: Mapping[str, object] = field(default_factory=dict)  # what the alert is about, where no row shows it


def find_problems(
    rows: tuple[SiteRow, ...], explained: Mapping[Thing, Thing], facts: BoardFacts
) -> tuple[Problem, ...]:
    """Judge the rows. `explained` says what stands behind what."""
    mine = (alert for alert in facts.alerts if alert.alert_kind in STANDING_KINDS)
    alerts = {alert.object_id: alert for alert in sorted(mine, key=_weight)}
    followers: dict[Thing, list[_Member]] = {}
    heads: list[tuple[Thing, _Member]] = []
    for member in (member for row in rows for member in _in_trouble(row)):
        if member.thing in explained:
            followers.setdefault(explained[member.thing], []).append(member)
        else:
            heads.append((member.thing, member))
    found = [_problem(head, followers.get(thing, []), alerts.get(thing.id), facts) for thing, head in heads]
    found += [
        _told(alert, facts)
        for alert in facts.alerts
        if alert.alert_kind not in STANDING_KINDS and not _is_worked_on(alert.object_id, rows)
    ]
    if facts.failed_accounts:
        found.append(
            Problem(ProblemKind.ACCOUNTS, "accounts", "", "", "", HostState.DEGRADED, None, count=facts.failed_accounts)
        )
    return tuple(sorted(found, key=_badness))


@dataclass(frozen=True, slots=True)
class _Member:
    """A host or router that does not do well, and the site that it belongs to."""

    thing: Thing
    row: HostCell | RouterRow
    site: SiteRow


def _in_trouble(site: SiteRow) -> Iterable[_Member]:
    for host in site.hosts:
        if host.state in PROBLEM_STATES and host.since is not None:  # not told yet is "new", not "wrong"
            yield _Member(Thing(Kind.HOST, host.id), host, site)
    for router in site.routers:
        if router.enabled and router.state is RouterState.UNREACHABLE and not router.in_work:
            yield _Member(Thing(Kind.ROUTER, router.id), router, site)


def _problem(head: _Member, followers: list[_Member], alert: Alert | None, facts: BoardFacts) -> Problem:
    row, is_router = head.row, head.thing.kind is Kind.ROUTER
    standing = facts.host_standings.get(row.id)
    return Problem(
        kind=ProblemKind.ROUTER if is_router else ProblemKind.HOST,
        id=row.id,
        name=row.name,
        address=row.address,
        site_name=head.site.name,
        state=row.state if isinstance(row.state, HostState) else HostState.DOWN,
        since=row.since,
        affected=row.sessions if isinstance(row, RouterRow) and not followers else _sessions(head, followers),
        likely_causes=standing.likely_causes if standing else (),
        reason=row.reason if isinstance(row, RouterRow) else standing.reason if standing else None,
        hosts_behind=tuple(member.row.name for member in followers if member.thing.kind is Kind.HOST),
        routers_behind=tuple(member.row.name for member in followers if member.thing.kind is Kind.ROUTER),
        alert=alert,
        seen=facts.seen.get(alert.incident_id, {}) if alert else {},
    )


def _told(alert: Alert, facts: BoardFacts) -> Problem:
    """A card of its own for an alert that is about no row's state: a limit crossed, a link lost, a threat."""
    site = next((site.name for site in facts.sites if site.id == alert.site_id), "")
    return Problem(
        kind=ProblemKind.ALERT,
        id=alert.incident_id,
        name=alert.object_name,
        address="",
        site_name=site,
        state=_LOOKS[alert.severity],
        since=alert.opened_at,
        alert=alert,
        seen=facts.seen.get(alert.incident_id, {}),
    )


def _is_worked_on(object_id: str, rows: tuple[SiteRow, ...]) -> bool:
    hosts = {host.id for row in rows for host in row.hosts if host.state is HostState.MAINTENANCE}
    return object_id in hosts | {router.id for row in rows for router in row.routers if router.in_work}


def _weight(alert: Alert) -> tuple[bool, int]:
    """The alert of a row's card comes last: that it is down, rather than what else is told of it."""
    return alert.alert_kind in ("host.down", "router.unreachable"), alert.number


def _sessions(head: _Member, followers: list[_Member]) -> int | None:
    """The sessions of every site that is touched; None where no site has a router that could know."""
    sites = {member.site.id: member.site for member in (head, *followers)}.values()
    return sum(site.sessions for site in sites) if any(site.routers for site in sites) else None


def _badness(problem: Problem) -> tuple[int, bool, int, int, int, float, str]:
    # Worst state first, what nobody took on before the rest; then whose sessions are surely cut, then who hides most,
    # then who may hurt most people, then the newest: an old problem is known already.
    taken_on = problem.alert is not None and problem.alert.acknowledged_at is not None
    affected, hidden = problem.affected or 0, len(problem.hosts_behind) + len(problem.routers_behind)
    cut = affected if problem.kind is ProblemKind.ROUTER or problem.routers_behind else 0
    newest_first = -problem.since.timestamp() if problem.since else 0.0
    return (RANK[problem.state], taken_on, -cut, -hidden, -affected, newest_first, problem.name)
