"""How the hosts around a host are: what it hangs on, what hangs on it, who else at its site is silent.

Every call costs what its own host's parents and children cost: a whole site may go dark at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Generic, Protocol, TypeVar

from services.poller.core.causes import Surroundings
from services.poller.core.judge import FALLEN, Phase, State
from shared.contracts.ids import HostId, SiteId
from shared.contracts.inventory import Host
from shared.contracts.vocabulary import HostState

_SILENT = FALLEN | {HostState.SUSPECT}
_NOBODY: frozenset[HostId] = frozenset()


class Member(Protocol):
    """A host of the landscape."""

    host: Host
    state: State

    def alive_at(self) -> float:
        """When the newest probe that was answered had been sent at the earliest, in monotonic seconds."""
        ...


M = TypeVar("M", bound=Member)


class Way(Enum):
    """How the way to a host is."""

    CLEAR = "clear"  # every group of its parents has a member that answers
    FALLEN = "fallen"  # a whole group of its parents is down
    OPEN = "open"  # some parent has not answered since, and is not known to be down either


@dataclass(frozen=True, slots=True)
class Ways:
    """The way to one host. `behind`: the hosts that are down themselves, if the way has fallen."""

    way: Way
    behind: tuple[HostId, ...] = ()


_CLEAR, _OPEN = Ways(Way.CLEAR), Ways(Way.OPEN)


class Landscape(Generic[M]):
    """Every watched host and what it hangs on."""

    def __init__(self) -> None:
        self._members: dict[HostId, M] = {}
        self._children: defaultdict[HostId, set[HostId]] = defaultdict(set)
        self._suspects: defaultdict[HostId, set[HostId]] = defaultdict(set)  # by parent
        self._sites: defaultdict[SiteId, set[HostId]] = defaultdict(set)
        self._silent: defaultdict[SiteId, set[HostId]] = defaultdict(set)

    # ── keeping it true ─────────────────────────────────────────────────────────────────────────────────────────────

    def note(self, member: M) -> None:
        """This host is here, and so it is now."""
        host = member.host
        if host.id not in self._members:
            self._sites[host.site_id].add(host.id)
            for parent in parents_of(host):
                self._children[parent].add(host.id)
        self._members[host.id] = member
        _set(self._silent[host.site_id], host.id, member.state.shown in _SILENT)
        for parent in parents_of(host):
            _set(self._suspects[parent], host.id, member.state.suspect)

    def forget(self, host: Host) -> None:
        """This host is watched no longer."""
        self._members.pop(host.id, None)
        self._sites[host.site_id].discard(host.id)
        self._silent[host.site_id].discard(host.id)
        for parent in parents_of(host):
            self._children[parent].discard(host.id)
            self._suspects[parent].discard(host.id)

    # ── looking around ──────────────────────────────────────────────────────────────────────────────────────────────

    def host(self, host_id: HostId) -> Host | None:
        """A host that is watched."""
        member = self._members.get(host_id)
        return member.host if member else None

    def parents(self, host: Host) -> Iterator[M]:
        """The parents of a host that are watched."""
        for parent in parents_of(host):
            member = self._members.get(parent)
            if member is not None:
                yield member

    def children(self, host_id: HostId) -> list[M]:
        """What hangs on this host directly."""
        return [self._members[child] for child in self._children.get(host_id, _NOBODY)]

    def suspects(self, host_id: HostId) -> list[M]:
        """What hangs on this host directly and is under suspicion."""
        return [self._members[child] for child in self._suspects.get(host_id, _NOBODY)]

    def crowd(self, host_id: HostId) -> int:
        """How many of those there are."""
        return len(self._suspects.get(host_id, _NOBODY))

    def has_children(self, host_id: HostId) -> bool:
        """Whether anything that is watched hangs on this host."""
        return bool(self._children.get(host_id))

    def ways(self, host: Host, since: float) -> Ways:
        """The way to a host. A parent that answered a probe sent before `since` (monotonic seconds) proves nothing.

        A parent that nobody watches neither holds its children's messages back nor hides them.
        """
        found = _CLEAR
        for group in host.parents:
            ways = self._group(host, group, since)
            if ways.way is Way.FALLEN:
                return ways
            if ways.way is Way.OPEN:
                found = ways
        return found

    def _group(self, host: Host, group: Collection[HostId], since: float) -> Ways:
        behind: list[HostId] = []
        fallen = True
        for parent in group:
            member = self._members.get(parent)
            if member is None or member.host.id == host.id:
                return _CLEAR
            roots = _roots(member)
            if roots and host.id not in roots:  # in a circle nobody is behind himself
                behind += roots
                continue
            if _proven(member, since):
                return _CLEAR
            fallen = False
        return Ways(Way.FALLEN, tuple(dict.fromkeys(behind))) if fallen and behind else (_OPEN if group else _CLEAR)

    def parents_down(self, host: Host) -> tuple[HostId, ...]:
        """The parents of a host that are known to be down or unreachable."""
        return tuple(member.host.id for member in self.parents(host) if member.state.hard in FALLEN)

    def ancestors(self, host_id: HostId) -> dict[HostId, int]:
        """The host itself and everything it hangs on, each with its distance. Circles end."""
        found = {host_id: 0}
        frontier = [host_id]
        while frontier:
            nearest = frontier.pop(0)
            member = self._members.get(nearest)
            for parent in parents_of(member.host) if member else ():
                if parent not in found:
                    found[parent] = found[nearest] + 1
                    frontier.append(parent)
        return found

    def around(self, host: Host) -> Surroundings:
        """What can be seen from this host. A parent that is suspect counts: it usually fell silent with its child."""
        members, silent = self._sites[host.site_id], self._silent[host.site_id]
        return Surroundings(
            cut_off=any(group and all(self._is_silent(parent) for parent in group) for group in host.parents),
            neighbours=len(members) - (host.id in members),
            neighbours_down=len(silent) - (host.id in silent),
        )

    def _is_silent(self, host_id: HostId) -> bool:
        member = self._members.get(host_id)
        return member is not None and member.state.shown in _SILENT


def parents_of(host: Host) -> tuple[HostId, ...]:
    """Every parent, whatever its group, once."""
    return tuple(dict.fromkeys(parent for group in host.parents for parent in group))


def parents_needed(mine: Collection[HostId], hosts: Mapping[HostId, Host]) -> dict[HostId, Host]:
    """The hosts of others that have to be watched beside one's own, so that what hangs on them is judged rightly.

    All the way up: a parent that is cut off itself must be known to be so. Disabled hosts are not watched.
    """
    needed: dict[HostId, Host] = {}
    frontier = [hosts[host_id] for host_id in mine if host_id in hosts]
    while frontier:
        for parent in parents_of(frontier.pop()):
            host = hosts.get(parent)
            if host is not None and host.enabled and parent not in mine and parent not in needed:
                needed[parent] = host
                frontier.append(host)
    return needed


def _roots(member: Member) -> tuple[HostId, ...]:
    """What is down itself, if this host has fallen and does not come back just now."""
    state = member.state
    if state.phase is Phase.RECOVERING:
        return ()
    if state.hard is HostState.DOWN:
        return (member.host.id,)
    return state.behind if state.hard is HostState.UNREACHABLE else ()


def _proven(member: Member, since: float) -> bool:
    state = member.state
    if state.hard is not HostState.UP or state.phase is not Phase.STEADY:
        return False
    return state.silent_since is not None or member.alive_at() > since


def _set(members: set[HostId], host_id: HostId, present: bool) -> None:
    if present:
        members.add(host_id)
    else:
        members.discard(host_id)
