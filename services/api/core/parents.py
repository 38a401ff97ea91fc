"""What hangs on what: a host that hangs on itself, over any number of others, would never be reachable."""

from __future__ import annotations

from collections.abc import Mapping

from shared.contracts.ids import HostId

Parents = tuple[tuple[HostId, ...], ...]


def cycle_through(host_id: HostId, parents: Parents, others: Mapping[HostId, Parents]) -> tuple[HostId, ...]:
    """The shortest way from a host over its parents back to itself, both ends named; empty if there is none."""
    came_from: dict[HostId, HostId] = {}
    edge = [host_id]
    while edge:
        following: list[HostId] = []
        for child in edge:
            groups = parents if child == host_id else others.get(child, ())
            for parent in (parent for group in groups for parent in group):
                if parent == host_id:
                    return _way(host_id, child, came_from)
                if parent not in came_from:
                    came_from[parent] = child
                    following.append(parent)
        edge = following
    return ()


def _way(host_id: HostId, last: HostId, came_from: Mapping[HostId, HostId]) -> tuple[HostId, ...]:
    way = [host_id]
    while last != host_id:
        way.append(last)
        last = came_from[last]
    return (host_id, *reversed(way[1:]), host_id)
