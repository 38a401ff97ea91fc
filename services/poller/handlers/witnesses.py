"""Who else may have seen a host alive: another poller, a subscriber's session, a router's netwatch, a router's ping.

Every witness answers with life that it saw after the first unanswered probe, or not at all. Whatever takes too long is
cancelled by who asks; whoever knows nothing of a host is not asked. Of a service (a port, a page, a name server) nobody
can say that it lives because its machine does: there only another poller that asks the same way is a witness.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.poller.core.records import POLLERS, PollerRecord, poller_key, read_record
from services.poller.core.roster import Roster
from services.poller.handlers.pinging import Tally
from services.poller.ports import Probe, RouterDoor, Sighting, Target
from shared.bus.ports import Bucket, Bus, NotHere
from shared.clock import Clock
from shared.contracts.inventory import Host, Router
from shared.contracts.queries import HostSeen, LookForHost
from shared.contracts.vocabulary import ProbeKind, Service, WitnessKind
from shared.errors import Invalid
from shared.routeros import Session, equals, one_of
from shared.routeros.durations import optional_duration

_AGAIN_S = 0.25  # between two looks at a counter: a subscriber that lives says something in this time, mostly
_GONE_AFTER_S = 60.0  # a poller that has not said that it looks for so long is no witness
_LOOKS, _LOOK_SPACING_S, _LOOK_TIMEOUT_S = 3, 0.15, 1.0
_PPP_NAMES = ("pppoe", "l2tp", "pptp", "sstp", "ovpn")


@dataclass(frozen=True, slots=True)
class Line:
    """A session that is open at an address. `slot` is its row's id without the star."""

    router: Router
    service: Service
    slot: str
    account: str


class SessionWitness:
    """A subscriber's session at the host's address, from which bytes arrive. Our own probes go the other way."""

    def __init__(self, door: RouterDoor, lines: Callable[[str], Iterable[Line]]) -> None:
        """`lines`: the open sessions at an address."""
        self._door = door
        self._lines = lines

    def knows(self, host: Host) -> bool:
        """See `ports.Witness`."""
        lines = self._lines(host.address) if host.probe is ProbeKind.ICMP else ()
        return any(self._door.session(line.router.id) is not None for line in lines)

    async def seen(self, host: Host, since: datetime) -> Sighting | None:  # noqa: ARG002 - both looks come after it
        """See `ports.Witness`. Looks until the counter grows."""
        for line in self._lines(host.address):
            session = self._door.session(line.router.id)
            if session is not None and await self._grows(session, line):
                return Sighting(WitnessKind.SESSION, f"{line.router.name}: {line.account}")
        return None

    async def _grows(self, session: Session, line: Line) -> bool:
        first = await _bytes_from(session, line)
        while first is not None:
            await asyncio.sleep(_AGAIN_S)
            now = await _bytes_from(session, line)
            if now is None or now < first:
                return False  # the session ended: another one may have its place
            if now > first:
                return True
        return False


async def _bytes_from(session: Session, line: Line) -> int | None:
    """What the subscriber has sent so far; None if the session is gone or nobody counts."""
    if line.service is Service.HOTSPOT:
        row = await session.one_row("/ip/hotspot/active", equals(".id", f"*{line.slot}"), ("bytes-in",))
        count = (row or {}).get("bytes-in", "")
    else:
        # `/ppp/active` of 7 counts nothing; the interface that carries the session does, seen from the router.
        names = one_of("name", *(f"<{kind}-{line.account}>" for kind in _PPP_NAMES))
        row = await session.one_row("/interface", names, ("rx-byte",))
        count = (row or {}).get("rx-byte", "")
    return int(count) if count.isdigit() else None


class NetwatchWitness:
    """A router's own netwatch of the host. It is believed when it must have looked after our first loss."""

    def __init__(self, door: RouterDoor, routers: Callable[[Host], Iterable[Router]], clock: Clock) -> None:
        """`routers`: those that may watch a host."""
        self._door = door
        self._routers = routers
        self._clock = clock

    def knows(self, host: Host) -> bool:
        """See `ports.Witness`."""
        routers = self._routers(host) if host.probe is ProbeKind.ICMP else ()
        return any(self._door.session(router.id) is not None for router in routers)

    async def seen(self, host: Host, since: datetime) -> Sighting | None:
        """See `ports.Witness`."""
        for router in self._routers(host):
            session = self._door.session(router.id)
            if session is not None and await self._is_up(session, host.address, since):
                return Sighting(WitnessKind.NETWATCH, router.name)
        return None

    async def _is_up(self, session: Session, address: str, since: datetime) -> bool:
        watched, columns = equals("host", address), ("status", "interval", "timeout", "disabled")
        row = await session.one_row("/tool/netwatch", watched, columns)
        if row is None or row.get("disabled") == "true" or row.get("status") != "up":
            return False
        rest = since + _period(row.get("interval")) + _period(row.get("timeout")) - self._clock.now()
        if rest > timedelta(0):
            await asyncio.sleep(rest.total_seconds())
            row = await session.one_row("/tool/netwatch", watched, columns)
        return row is not None and row.get("status") == "up"


def _period(text: str | None) -> timedelta:
    """A duration of the router's; where it says none, longer than anybody waits."""
    try:
        return optional_duration(text) or timedelta(minutes=1)
    except Invalid:
        return timedelta(minutes=1)


class RouterWitness:
    """A ping from the router that the host hangs on."""

    def __init__(self, door: RouterDoor, routers: Callable[[Host], Iterable[Router]]) -> None:
        self._door = door
        self._routers = routers

    def knows(self, host: Host) -> bool:
        """See `ports.Witness`."""
        routers = self._routers(host) if host.probe is ProbeKind.ICMP else ()
        return any(self._door.session(router.id) is not None for router in routers)

    async def seen(self, host: Host, since: datetime) -> Sighting | None:  # noqa: ARG002 - it asks now
        """See `ports.Witness`."""
        for router in self._routers(host):
            session = self._door.session(router.id)
            if session is not None and await self._answers(session, host.address):
                return Sighting(WitnessKind.ROUTER, router.name)
        return None

    async def _answers(self, session: Session, address: str) -> bool:
        reply = await session.run("/ping", {"address": address, "count": "2", "interval": "200ms"}, deadline=3.0)
        return any(row.get("time") for row in reply.rows)


class PollerWitness:
    """Other pollers, from where they stand: each is asked to look, and answers only if it sees life."""

    def __init__(self, bus: Bus, instance: str, clock: Clock) -> None:
        self._bus = bus
        self._instance = instance
        self._clock = clock
        self._others = False

    async def look_round(self, bucket: Bucket) -> None:
        """Find out whether there are others. Raises Unreachable."""
        now = self._clock.now()
        others = [key for key in await bucket.keys(POLLERS) if key != poller_key(self._instance)]
        entries = [await bucket.get(key) for key in others]
        records = [read_record(PollerRecord, entry.value) for entry in entries if entry is not None]
        self._others = any(record and (now - record.seen_at).total_seconds() < _GONE_AFTER_S for record in records)

    def knows(self, host: Host) -> bool:
        """See `ports.Witness`."""
        return self._others and host.probe in {ProbeKind.ICMP, ProbeKind.TCP}

    async def seen(self, host: Host, since: datetime) -> Sighting | None:  # noqa: ARG002 - they look now
        """See `ports.Witness`."""
        query = LookForHost(asker=self._instance, address=host.address, probe=host.probe, port=host.port)
        seen = await self._bus.request(query)
        return Sighting(WitnessKind.POLLER, seen.instance)


async def look_for_host(query: LookForHost, *, instance: str, probes: Mapping[ProbeKind, Probe]) -> HostSeen:
    """Look at a host for another poller. Raises NotHere if it does not answer, and if the question is our own."""
    if query.asker == instance or query.probe not in probes:
        raise NotHere
    tally = Tally(_LOOKS)
    target = Target(query.probe, query.address, query.port)
    for number in range(1, _LOOKS + 1):
        probes[query.probe].ask(target, number, _LOOK_TIMEOUT_S, tally)
        await asyncio.sleep(_LOOK_SPACING_S)
        if tally.rtts_ms:
            break
    else:
        await tally.complete.wait()
    if not tally.rtts_ms:
        raise NotHere
    return HostSeen(instance=instance, rtt_ms=min(tally.rtts_ms.values()))


class Neighbourhood:
    """Which routers may know a host: the one that pings it, else those that are its parents or stand at its site."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster

    def of(self, host: Host) -> tuple[Router, ...]:
        """The routers to ask, the likeliest first; two at most."""
        routers, hosts = self._roster.routers, self._roster.hosts
        if host.via_router is not None and host.via_router in routers:
            return (routers[host.via_router],)
        above = {hosts[parent].address for group in host.parents for parent in group if parent in hosts}
        near = [router for router in routers.values() if router.site_id == host.site_id or router.host in above]
        # A router does not testify for itself.
        return tuple(sorted((r for r in near if r.host != host.address), key=lambda r: r.host not in above)[:2])
