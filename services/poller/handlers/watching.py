"""Answer what is watched and how it is: each poller for itself, and any of them for all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping

import structlog

from services.poller.core.shards import Member
from services.poller.watch import Watch
from shared.bus.ports import Bus, NotHere
from shared.contracts.ids import HostId
from shared.contracts.queries import ListOwnWatched, ListWatched, WatchedHost, WatchReport
from shared.errors import RondaError

Watches = Mapping[HostId, Watch]
Sessions = Callable[[], Mapping[str, int]]

log = structlog.get_logger(__name__)


async def list_own(query: ListOwnWatched, *, name: str, watches: Watches, sessions: Sessions) -> WatchReport:
    """Every host with its state and last round trip, open sessions by router. Raises NotHere if another is meant."""
    if query.poller != name:
        raise NotHere
    return own_report(watches, sessions)


async def list_watched(
    _query: ListWatched,
    *,
    watches: Watches,
    sessions: Sessions,
    bus: Bus | None = None,
    others: Callable[[], Iterable[Member]] = lambda: (),
) -> WatchReport:
    """The same of all pollers. One that does not answer in time is named: what it watches is missing."""
    names = [member.name for member in others()]
    own = own_report(watches, sessions)
    if bus is None or not names:
        return own
    answers = await asyncio.gather(*(_ask(bus, name) for name in names))
    return merged(own, dict(zip(names, answers, strict=True)))


def own_report(watches: Watches, sessions: Sessions) -> WatchReport:
    """What this poller watches."""
    hosts = tuple(
        WatchedHost(host_id=watch.host.id, state=watch.shown, rtt_ms=watch.last_ms)
        for watch in watches.values()
        if watch.tells
    )
    return WatchReport(hosts=hosts, sessions=dict(sessions()))


def merged(own: WatchReport, answers: Mapping[str, WatchReport | None]) -> WatchReport:
    """All reports as one. While a part changes hands two may have a host: who answers first is believed."""
    reports = [own, *(report for report in answers.values() if report is not None)]
    hosts = {host.host_id: host for report in reversed(reports) for host in report.hosts}
    sessions = {router: count for report in reversed(reports) for router, count in report.sessions.items()}
    silent = tuple(sorted(name for name, report in answers.items() if report is None))
    return WatchReport(hosts=tuple(hosts.values()), sessions=sessions, silent_pollers=silent)


async def _ask(bus: Bus, name: str) -> WatchReport | None:
    try:
        return await bus.request(ListOwnWatched(poller=name))
    except RondaError as problem:
        log.warning("a poller does not say what it watches", name=name, reason=str(problem))
        return None
