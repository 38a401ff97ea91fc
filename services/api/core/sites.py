"""Rows of the board: a site with its hosts and routers, as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from services.api.core.announced import concerns_router, work_at
from services.api.core.causes import DARK, Kind, Thing
from services.api.core.facts import BoardFacts
from services.api.core.standings import RouterState, worst
from services.api.core.trends import added, walk_back
from shared.contracts.inventory import Host, Router, Site
from shared.contracts.vocabulary import HostState


@dataclass(frozen=True, slots=True)
class HostCell:
    """One segment of a site's bar."""

    id: str
    name: str
    address: str
    state: HostState
    since: datetime | None
    rtt_ms: float | None
    beneath: HostState | None = None  # how it is while announced work lasts, which is what `state` says then


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
    in_work: bool = False  # announced work on it lasts


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
    trend: tuple[int, ...] = ()  # open sessions over the last hour, oldest first; empty without routers

    @property
    def answering(self) -> int:
        """How many hosts answer, well or not so well."""
        return sum((host.beneath or host.state) in (HostState.UP, HostState.DEGRADED) for host in self.hosts)


def site_row(site: Site, facts: BoardFacts, explained: Mapping[Thing, Thing]) -> SiteRow:
    """A site's row. What something else explains is unreachable, not down."""
    hosts = tuple(_cell(host, facts, explained) for host in facts.hosts if host.site_id == site.id and host.enabled)
    routers = tuple(_router_row(router, facts) for router in facts.routers if router.site_id == site.id)
    changes = [since for since in (*(h.since for h in hosts), *(r.since for r in routers)) if since is not None]
    states = [host.state for host in hosts] + [_as_host_state(r) for r in routers if r.enabled]
    return SiteRow(
        id=site.id,
        name=site.name,
        state=worst(states),
        hosts=hosts,
        routers=routers,
        sessions=sum(router.sessions for router in routers),
        worst_rtt_ms=max((host.rtt_ms for host in hosts if host.rtt_ms is not None), default=None),
        changed_at=max(changes, default=None),
        trend=added([_trend(router.id, facts) for router in routers]),
    )


def _cell(host: Host, facts: BoardFacts, explained: Mapping[Thing, Thing]) -> HostCell:
    cell = _told_cell(host, facts, explained)
    if work_at(host, facts.work) is None:
        return cell
    return replace(cell, state=HostState.MAINTENANCE, beneath=cell.state)


def _told_cell(host: Host, facts: BoardFacts, explained: Mapping[Thing, Thing]) -> HostCell:
    standing = facts.host_standings.get(host.id)
    if standing is None:
        return HostCell(host.id, host.name, host.address, HostState.UNKNOWN, None, None)
    hidden = standing.state in DARK and Thing(Kind.HOST, host.id) in explained
    state = HostState.UNREACHABLE if hidden else standing.shown
    return HostCell(host.id, host.name, host.address, state, standing.shown_since, standing.rtt_ms)


def _router_row(router: Router, facts: BoardFacts) -> RouterRow:
    standing = facts.router_standings.get(router.id)
    return RouterRow(
        id=router.id,
        name=router.name,
        address=f"[{router.host}]:{router.port}" if ":" in router.host else f"{router.host}:{router.port}",
        state=standing.state if standing else RouterState.UNKNOWN,
        since=standing.since if standing else None,
        version=standing.version if standing else None,
        board=standing.board if standing else None,
        sessions=facts.sessions.get(router.id, 0),
        reason=standing.reason if standing else None,
        enabled=router.enabled,
        in_work=any(concerns_router(each.work, router) for each in facts.work),
    )


def _as_host_state(router: RouterRow) -> HostState:
    if router.in_work:
        return HostState.MAINTENANCE
    return {
        RouterState.REACHABLE: HostState.UP,
        RouterState.UNREACHABLE: HostState.DOWN,
        RouterState.UNKNOWN: HostState.UNKNOWN,
    }[router.state]


def _trend(router_id: str, facts: BoardFacts) -> tuple[int, ...]:
    return walk_back(facts.sessions.get(router_id, 0), facts.session_net.get(router_id, {}), facts.slot)
