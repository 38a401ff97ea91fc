"""Everything the board is judged from, read in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.api.core.alerts import Alert
from services.api.core.announced import WorkNow
from services.api.core.standings import HostStanding, RouterStanding
from shared.contracts.inventory import Host, Router, Site


@dataclass(frozen=True, slots=True)
class BoardEvent:
    """One line of the last events."""

    id: str
    type: str
    at: datetime
    site_id: str | None
    body: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class BoardFacts:
    """Inventory, standings, alerts that are not over, sessions, last events."""

    sites: tuple[Site, ...] = ()
    routers: tuple[Router, ...] = ()
    hosts: tuple[Host, ...] = ()
    host_standings: Mapping[str, HostStanding] = field(default_factory=dict)
    router_standings: Mapping[str, RouterStanding] = field(default_factory=dict)
    alerts: tuple[Alert, ...] = ()
    seen: Mapping[str, Mapping[str, object]] = field(default_factory=dict)  # what was seen, by incident
    sessions: Mapping[str, int] = field(default_factory=dict)  # open now, by router
    session_net: Mapping[str, Mapping[int, int]] = field(default_factory=dict)  # opened minus closed, by router, slot
    slot: int = 0  # of the moment of reading, see core.trends
    events: tuple[BoardEvent, ...] = ()
    failed_accounts: int = 0
    work: tuple[WorkNow, ...] = ()  # announced, and lasting now
