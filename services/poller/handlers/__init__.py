"""What the poller does, one coroutine per thing; the table says which query each one answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from services.poller.handlers.live.paths import trace_from_here, trace_target
from services.poller.handlers.pinging import answer_ping, ping_from_here
from services.poller.handlers.watching import list_own, list_watched
from services.poller.handlers.witnesses import look_for_host
from shared.contracts.live import TraceFromPoller, TraceTarget
from shared.contracts.queries import (
    Answer,
    ListOwnWatched,
    ListWatched,
    LookForHost,
    PingFromPoller,
    PingTarget,
    Query,
)

HANDLERS: dict[type[Query[Any]], Callable[..., Awaitable[Answer]]] = {
    PingTarget: answer_ping,
    PingFromPoller: ping_from_here,
    ListWatched: list_watched,
    ListOwnWatched: list_own,
    TraceTarget: trace_target,
    TraceFromPoller: trace_from_here,
    LookForHost: look_for_host,
}
"""Queries and who answers them. Everything else the poller does is woken by the network and by the inventory."""
