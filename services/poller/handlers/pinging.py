"""Ping on demand: several probes, one report."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from services.poller.core.roster import Roster
from services.poller.ports import Probe, Resolver, Target, target_of
from shared.bus.ports import Bus, NotHere
from shared.contracts.ids import HostId, SiteId
from shared.contracts.queries import PingFromPoller, PingReport, PingTarget
from shared.contracts.vocabulary import ProbeFailure, ProbeKind
from shared.errors import Invalid, NotAllowed, NotFound

SPACING_S = 0.2
TIMEOUT_S = 1.0
PATIENT_TIMEOUT_S = 4.0  # for what has more to do than to send a packet back
_LONGEST_NAME = 253


@dataclass
class Tally:
    """Collects the results of one ping; the asker of its probes. `complete` when there are as many as expected."""

    expected: int
    rtts_ms: dict[int, float] = field(default_factory=dict)
    silent: set[int] = field(default_factory=set)
    reasons: dict[int, str] = field(default_factory=dict)
    complete: asyncio.Event = field(default_factory=asyncio.Event)

    def answer(self, number: int, rtt_ms: float) -> None:
        """See `ports.Asker`."""
        self.rtts_ms[number] = rtt_ms
        self.silent.discard(number)  # a late answer is an answer while we wait
        self._count()

    def loss(self, number: int, age_s: float, failure: ProbeFailure) -> None:  # noqa: ARG002
        """See `ports.Asker`."""
        self.silent.add(number)
        self._count()

    def blind(self, number: int, reason: str) -> None:
        """See `ports.Asker`."""
        self.reasons[number] = reason
        self._count()

    def _count(self) -> None:
        if len(self.rtts_ms) + len(self.silent) + len(self.reasons) >= self.expected:
            self.complete.set()


async def answer_ping(
    query: PingTarget,
    *,
    roster: Roster,
    probes: Mapping[ProbeKind, Probe],
    resolver: Resolver,
    bus: Bus | None = None,
    nearest: Callable[[SiteId], str | None] = lambda _site: None,
) -> PingReport:
    """Ask a target `count` times. Raises NotFound, Invalid for what cannot be pinged, NotAllowed if we may not.

    A host of a site that has a poller of its own is asked from there: `nearest` names that poller (None: us).
    """
    host = roster.hosts.get(query.host_id) if query.host_id is not None else None
    poller = nearest(host.site_id) if host is not None else None
    if poller is not None and bus is not None:
        return await bus.request(
            PingFromPoller(poller=poller, target=query.target, host_id=query.host_id, count=query.count)
        )
    return await _ping(query, roster=roster, probes=probes, resolver=resolver)


async def ping_from_here(
    query: PingFromPoller, *, name: str, roster: Roster, probes: Mapping[ProbeKind, Probe], resolver: Resolver
) -> PingReport:
    """The same, from this poller whatever the target. Raises NotHere if another one is meant."""
    if query.poller != name:
        raise NotHere
    return await _ping(query, roster=roster, probes=probes, resolver=resolver)


async def _ping(
    query: PingTarget | PingFromPoller, *, roster: Roster, probes: Mapping[ProbeKind, Probe], resolver: Resolver
) -> PingReport:
    target = await _aim(query, roster, resolver)
    timeout_s = TIMEOUT_S if target.kind in (ProbeKind.ICMP, ProbeKind.TCP) else PATIENT_TIMEOUT_S
    tally = Tally(query.count)
    for number in range(1, query.count + 1):
        probes[target.kind].ask(target, number, timeout_s, tally)
        if number < query.count:
            await asyncio.sleep(SPACING_S)
    await tally.complete.wait()
    if len(tally.reasons) == query.count:
        raise NotAllowed(next(iter(tally.reasons.values())))
    rtts = tally.rtts_ms.values()
    return PingReport(
        target=query.target,
        address=target.address,
        sent=query.count,
        received=len(rtts),
        rtt_min_ms=min(rtts, default=None),
        rtt_avg_ms=sum(rtts) / len(rtts) if rtts else None,
        rtt_max_ms=max(rtts, default=None),
    )


async def _aim(query: PingTarget | PingFromPoller, roster: Roster, resolver: Resolver) -> Target:
    address = await numeric_target(query.target, query.host_id, roster, resolver)
    host = roster.hosts[query.host_id] if query.host_id is not None else None
    return target_of(host, address, roster.policy_of(host)) if host else Target(ProbeKind.ICMP, address)


async def numeric_target(target: str, host_id: HostId | None, roster: Roster, resolver: Resolver) -> str:
    """The number of a watched host, or of any address or name. Raises NotFound, Invalid, Unreachable."""
    host = roster.hosts.get(host_id) if host_id is not None else None
    if host_id is not None and host is None:
        raise NotFound(f"this poller does not know the host {host_id}")
    name = host.address if host else target.strip()
    if not name or len(name) > _LONGEST_NAME or any(character.isspace() for character in name):
        raise Invalid("a ping needs an address or a name without spaces")
    address = await resolver.resolve(name)
    number = ipaddress.ip_address(address)
    if number.is_multicast or number.is_unspecified or address == "255.255.255.255":
        raise Invalid(f"{address} is not the address of one host")
    return address
