"""Many hosts that fall silent together are one outage: which hosts, what they have in common, when it is over.

Suspicion alone is not told: a second of congestion makes thousands of suspects and no outage. When the first of them is
certain to be down and the others still do not answer, the outage is told, on the nearest thing they have in common.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from shared.contracts.ids import HostId, SiteId
from shared.contracts.inventory import Host
from shared.contracts.vocabulary import OutageScope

WINDOW_S = 5.0
FEWEST, SHARE = 10, 0.20  # an outage is more hosts than both
_COMMON = 0.9  # of the silent hosts: a few may have fallen silent for reasons of their own
_REST, _REST_SHARE = 2, 0.1  # an outage is over when no more than these are left
_LATE_INTERVALS = 2  # hosts that are asked seldom join late
_EXAMPLES = 5


class Geography(Protocol):
    """What hangs on what."""

    def ancestors(self, host_id: HostId) -> dict[HostId, int]:
        """The host itself and everything it hangs on, each with its distance."""
        ...


@dataclass(frozen=True, slots=True)
class Extent:
    """What the hosts of an outage have in common. `object_id` is empty for the network as a whole."""

    scope: OutageScope
    object_id: str
    site_id: SiteId


@dataclass(slots=True)
class Outage:
    """One outage: who is in it, and who of them is still silent."""

    id: str
    extent: Extent
    since: datetime
    spread_at: float = 0.0  # when the last host joined, in monotonic seconds
    members: int = 0
    silent: set[HostId] = field(default_factory=set)

    @property
    def over(self) -> bool:
        """Whether what is left may be told one by one."""
        return len(self.silent) <= max(_REST, int(_REST_SHARE * self.members))


@dataclass(frozen=True, slots=True)
class Suspect:
    """A host under suspicion: since when by both clocks."""

    host: Host
    at: float
    since: datetime


class MassGuard:
    """The suspects of the last seconds, and the outages that are not over."""

    def __init__(self, geography: Geography) -> None:
        self._geography = geography
        self._suspects: dict[HostId, Suspect] = {}  # the oldest first
        self.outages: dict[str, Outage] = {}
        self._outage_of: dict[HostId, str] = {}

    def suspected(self, host: Host, at: float, since: datetime) -> None:
        """This host has just lost a probe."""
        self._suspects.pop(host.id, None)
        if host.id not in self._outage_of:
            self._suspects[host.id] = Suspect(host, at, since)

    def answered(self, host_id: HostId) -> Outage | None:
        """This host answers, or is watched no longer. The outage that is over with it, if one is."""
        self._suspects.pop(host_id, None)
        outage = self.outages.get(self._outage_of.pop(host_id, ""))
        if outage is None:
            return None
        outage.silent.discard(host_id)
        return self._end(outage) if outage.over else None

    def restore(self, outage: Outage) -> Outage | None:
        """An outage that was told before a restart, with those of its hosts that are still silent.

        Answers it if it turns out to be over.
        """
        self.outages[outage.id] = outage
        self._outage_of.update(dict.fromkeys(outage.silent, outage.id))
        return self._end(outage) if outage.over else None

    def begins(self, now: float, watched: int, host_of: Callable[[HostId], Host | None]) -> Outage | None:
        """A host is certain to be down: is it part of an outage that has to be told now?"""
        self._forget_before(now - WINDOW_S)
        if len(self._suspects) <= max(FEWEST, SHARE * watched):
            return None
        free = list(self._suspects.values())
        extent = self._extent([suspect.host for suspect in free], host_of)
        since = min(suspect.since for suspect in free)
        outage = Outage(_outage_id(extent, since), extent, since, now)
        self.outages[outage.id] = outage
        for suspect in free:
            self._join(outage, suspect.host.id, now)
        return outage

    def belongs_to(self, host: Host, now: float, interval_s: float) -> str | None:
        """The outage that a host which is down or unreachable is part of."""
        if host.id in self._outage_of:
            return self._outage_of[host.id]
        for outage in self.outages.values():
            late = now - outage.spread_at > WINDOW_S + _LATE_INTERVALS * interval_s
            if not late and self._within(host, outage.extent):
                self._join(outage, host.id, now)
                return outage.id
        return None

    def examples(self, outage: Outage) -> tuple[HostId, ...]:
        """A few of its hosts."""
        return tuple(sorted(outage.silent)[:_EXAMPLES])

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _forget_before(self, at: float) -> None:
        while self._suspects:
            oldest = next(iter(self._suspects.values()))
            if oldest.at >= at:
                return
            del self._suspects[oldest.host.id]

    def _join(self, outage: Outage, host_id: HostId, now: float) -> None:
        self._suspects.pop(host_id, None)
        outage.silent.add(host_id)
        outage.members += 1
        outage.spread_at = now
        self._outage_of[host_id] = outage.id

    def _end(self, outage: Outage) -> Outage:
        for host_id in outage.silent:
            self._outage_of.pop(host_id, None)
        return self.outages.pop(outage.id)

    def _within(self, host: Host, extent: Extent) -> bool:
        if extent.scope is OutageScope.HOST:
            return extent.object_id in self._geography.ancestors(host.id)
        return extent.scope is OutageScope.NETWORK or host.site_id == extent.site_id

    def _extent(self, hosts: Collection[Host], host_of: Callable[[HostId], Host | None]) -> Extent:
        """The nearest common ancestor; else the site; else the network."""
        enough = _COMMON * len(hosts)
        distances: Counter[HostId] = Counter()
        times: Counter[HostId] = Counter()
        for host in hosts:
            for ancestor, distance in self._geography.ancestors(host.id).items():
                times[ancestor] += 1
                distances[ancestor] += distance
        common = [found for host_id, count in times.items() if count >= enough and (found := host_of(host_id))]
        if common:
            nearest = min(common, key=lambda host: (distances[host.id] / times[host.id], host.id))
            return Extent(OutageScope.HOST, nearest.id, nearest.site_id)
        [(site_id, most)] = Counter(host.site_id for host in hosts).most_common(1)
        if most >= enough:
            return Extent(OutageScope.SITE, site_id, site_id)
        return Extent(OutageScope.NETWORK, "", site_id)


def _outage_id(extent: Extent, since: datetime) -> str:
    text = f"{extent.scope}:{extent.object_id}:{since.timestamp():.3f}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]
