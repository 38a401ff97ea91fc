"""Answer what is watched and how it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from services.poller.watch import Watch
from shared.contracts.ids import HostId
from shared.contracts.queries import ListWatched, WatchedHost, WatchReport


async def list_watched(
    _query: ListWatched, *, watches: Mapping[HostId, Watch], sessions: Callable[[], Mapping[str, int]]
) -> WatchReport:
    """Every host with its state and last round trip, and open sessions by router."""
    hosts = tuple(
        WatchedHost(host_id=watch.host.id, state=watch.shown, rtt_ms=watch.last_ms)
        for watch in watches.values()
        if watch.tells
    )
    return WatchReport(hosts=hosts, sessions=dict(sessions()))
