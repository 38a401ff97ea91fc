"""The kinds of probes, each by its maker: a new kind is a file in `adapters` and a line here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from services.poller.adapters.dns import DnsProbe
from services.poller.adapters.http import HttpProbe, Remark
from services.poller.adapters.icmp import IcmpProbe
from services.poller.adapters.netwatch import NetwatchProbe
from services.poller.adapters.resolver import SystemResolver
from services.poller.adapters.router_ping import RouterPing
from services.poller.adapters.tasked import TaskedProbe
from services.poller.adapters.tcp import TcpProbe
from services.poller.handlers.doors import RouterDoors
from services.poller.handlers.heard_hosts import HeardHosts
from services.poller.ports import Probe, Resolver
from shared.clock import Clock, SystemClock
from shared.contracts.ids import HostId, RouterId
from shared.contracts.vocabulary import ProbeKind

log = structlog.get_logger(__name__)


@dataclass
class Means:
    """What probes may need besides sockets."""

    doors: RouterDoors = field(default_factory=RouterDoors)
    resolver: Resolver = field(default_factory=SystemResolver)
    clock: Clock = field(default_factory=SystemClock)
    heard: HeardHosts = field(default_factory=HeardHosts)
    remark: Remark = lambda _host_id, _words: None  # known only once the watch is there

    def say(self, host_id: HostId, words: str) -> None:
        """Pass a remark on to whoever hears it by then."""
        self.remark(host_id, words)

    def heard_up(self, router_id: RouterId, names: tuple[str, ...], since: datetime | None) -> bool | None:
        """Whether scripts of a router said that a host is up."""
        return self.heard.up(router_id, names, since=since, now=self.clock.now())


KINDS: dict[ProbeKind, Callable[[Means], TaskedProbe]] = {
    ProbeKind.TCP: lambda _: TcpProbe(),
    ProbeKind.HTTP: lambda means: HttpProbe(means.resolver, means.clock, means.say),
    ProbeKind.DNS: lambda _: DnsProbe(),
    ProbeKind.ROUTER: lambda means: RouterPing(means.doors),
    ProbeKind.NETWATCH: lambda means: NetwatchProbe(means.doors, heard=means.heard_up, clock=means.clock),
}
"""Every kind but ICMP, which sends for all hosts at once and is made of other stuff."""


@asynccontextmanager
async def real_probes(means: Means | None = None) -> AsyncIterator[Mapping[ProbeKind, Probe]]:
    """Probes on this machine's sockets. Where ICMP is not permitted this is said once, and the others go on."""
    means = means or Means()
    icmp = IcmpProbe()
    for version, refusal in icmp.refusals.items():
        say = log.info if icmp.permitted else log.error
        say("hosts cannot be asked by ICMP", ip_version=version, reason=refusal)
    others = {kind: make(means) for kind, make in KINDS.items()}
    try:
        yield {ProbeKind.ICMP: icmp, **others}
    finally:
        icmp.close()
        for probe in others.values():
            await probe.close()
