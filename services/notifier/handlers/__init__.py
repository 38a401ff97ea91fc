"""What the notifier does when which message comes. The tables below are the whole story."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from services.notifier.core.observations import RELIEFS, TROUBLES
from services.notifier.handlers import alerts, observations, sessions
from services.notifier.ports import Directory, Messengers, Store
from shared.bus.ports import Handler
from shared.contracts import events
from shared.contracts.message import Message

Table = Mapping[type[Message], Sequence[Callable[..., Any]]]

ALERT_HANDLERS: Table = {
    events.HostDown: (alerts.open_host_alert,),
    events.HostUp: (alerts.resolve_host_alert,),
    events.HostUnreachable: (alerts.explain_unreachable,),
    events.RouterUnreachable: (alerts.open_router_alert,),
    events.RouterReachable: (alerts.resolve_router_alert,),
    **dict.fromkeys(TROUBLES, (observations.tell_trouble,)),
    **dict.fromkeys(RELIEFS, (observations.tell_relief,)),
    events.OutageEnded: (observations.tell_relief, alerts.release_outage),
}

SESSION_HANDLERS: Table = {
    events.SessionOpened: (sessions.tell_session,),
    events.SessionClosed: (sessions.tell_session,),
}

HANDLERS: Table = {**ALERT_HANDLERS, **SESSION_HANDLERS}


def bound(
    table: Table, *, store: Store, directory: Directory, messengers: Messengers
) -> dict[type[Message], list[Handler]]:
    """The table with its ports filled in."""
    ports = {"store": store, "directory": directory, "messengers": messengers}
    return {kind: [partial(handler, **ports) for handler in handlers] for kind, handlers in table.items()}
