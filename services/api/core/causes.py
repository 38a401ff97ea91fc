"""One cause reads as one problem: which host or router that does not answer explains which others.

Pure reading of the inventory. A host is reachable if every group of its parents has one member that is; a router has
no parents of its own, so it is placed by its address or by the site that went dark with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.api.core.facts import BoardFacts
from services.api.core.standings import RouterState
from shared.contracts.ids import HostId
from shared.contracts.inventory import Host, Router
from shared.contracts.vocabulary import HostState

DARK = frozenset({HostState.DOWN, HostState.UNREACHABLE})


class Kind(StrEnum):
    """What can explain, and be explained."""

    HOST = "host"
    ROUTER = "router"


@dataclass(frozen=True, slots=True)
class Thing:
    """A host or a router by its id."""

    kind: Kind
    id: str


Dark = Mapping[HostId, Host]


def behind(facts: BoardFacts) -> dict[Thing, Thing]:
    """For everything dark that something else explains: what explains it in the end."""
    hosts = {host.id: host for host in facts.hosts if host.enabled and _host_is_dark(host, facts)}
    known = frozenset(host.id for host in facts.hosts if host.enabled)
    parents = {host_id: _dark_parent(host, hosts, known, facts) for host_id, host in hosts.items()}
    above = {child: parent for child, parent in parents.items() if parent is not None}
    links = {Thing(Kind.HOST, child): Thing(Kind.HOST, _top(child, above)) for child in above}
    for router in sorted(_dark_routers(facts), key=lambda router: _dark_since(router, facts)):
        links |= _placed(router, hosts, links, facts)
    return {thing: _end(thing, links) for thing in links if _end(thing, links) != thing}


def _placed(router: Router, dark: Dark, links: dict[Thing, Thing], facts: BoardFacts) -> dict[Thing, Thing]:
    me = Thing(Kind.ROUTER, router.id)
    twin = next((host for host in dark.values() if host.address == router.host), None)
    if twin is not None:
        return {me: _end(Thing(Kind.HOST, twin.id), links)}
    here = [host for host in facts.hosts if host.enabled and host.site_id == router.site_id]
    if not here or not _site_is_dark(router.site_id, here, dark, facts):
        return {}
    roots = {_end(Thing(Kind.HOST, host.id), links) for host in here}
    if len(roots) == 1 and len(here) > 1:
        return {me: next(iter(roots))}
    mine = {Thing(Kind.HOST, host.id) for host in here}
    return {root: me for root in roots if root in mine}


def _site_is_dark(site_id: str, here: Iterable[Host], dark: Dark, facts: BoardFacts) -> bool:
    routers = (router for router in facts.routers if router.site_id == site_id and router.enabled)
    return all(host.id in dark for host in here) and all(_router_is_dark(router, facts) for router in routers)


def _dark_parent(host: Host, dark: Dark, known: frozenset[HostId], facts: BoardFacts) -> HostId | None:
    """The parent that has been dark for longest, of a group none of which answers."""
    for group in host.parents:
        members = [parent for parent in group if parent in known and parent != host.id]
        if members and all(parent in dark for parent in members):
            return min(members, key=lambda parent: (facts.host_standings[parent].since, parent))
    return None


def _top(host_id: HostId, above: Mapping[HostId, HostId]) -> HostId:
    """The last one up the parents; in a circle the one with the smallest id, so that all of it agrees."""
    way = [host_id]
    while (parent := above.get(way[-1])) is not None:
        if parent in way:
            return min(way[way.index(parent) :])
        way.append(parent)
    return way[-1]


def _end(thing: Thing, links: dict[Thing, Thing]) -> Thing:
    seen = {thing}
    while (after := links.get(thing)) is not None and after not in seen:
        seen.add(after)
        thing = after
    return thing


def _host_is_dark(host: Host, facts: BoardFacts) -> bool:
    standing = facts.host_standings.get(host.id)
    return standing is not None and standing.state in DARK


def _dark_routers(facts: BoardFacts) -> list[Router]:
    return [router for router in facts.routers if router.enabled and _router_is_dark(router, facts)]


def _router_is_dark(router: Router, facts: BoardFacts) -> bool:
    standing = facts.router_standings.get(router.id)
    return standing is not None and standing.state is RouterState.UNREACHABLE


def _dark_since(router: Router, facts: BoardFacts) -> tuple[datetime, str]:
    return facts.router_standings[router.id].since, router.id
