"""What the poller keeps in the bucket `state`, as it lies there; other programs may read it.

Every record has an `order` that only grows: of two records for one key, the one with the greater order is the truth.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from services.poller.core.degraded import Standing
from services.poller.core.flapping import Flap
from services.poller.core.judge import State
from services.poller.core.reach import Reach, Reachability
from services.poller.core.session_facts import Session
from shared.contracts.ids import HostId, MaintenanceId, RouterId
from shared.contracts.subjects import escape_token
from shared.contracts.vocabulary import HostState, QualityFault, Service, Severity

HOSTS, ROUTERS, SESSIONS, SAID, DROPS = "host.", "router.", "session.", "said.", "drop."
POLLERS, MAINTENANCES, OUTAGES = "poller.", "maintenance.", "outage."
QUALITY = "quality."


class Record(BaseModel):
    """A value in the bucket."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    order: int

    def encoded(self) -> bytes:
        """As bytes."""
        return self.model_dump_json().encode()


class HostRecord(Record):
    """The last hard state of a host; `order` is its transition number."""

    id: HostId
    state: HostState
    since: datetime | None = None
    down_since: datetime | None = None
    behind: tuple[HostId, ...] = ()
    silent_since: datetime | None = None
    outage_id: str | None = None
    hidden: bool = False
    changes: tuple[datetime, ...] = ()  # the recent ones, for flapping; `downs` are those that were outages
    downs: tuple[datetime, ...] = ()
    flapping_since: datetime | None = None
    flapping_changes: int = 0

    @classmethod
    def of(cls, host_id: HostId, state: State) -> HostRecord:
        """What of a state survives."""
        return cls(
            order=state.transition,
            id=host_id,
            state=state.hard,
            since=state.since,
            down_since=state.down_since,
            behind=state.behind,
            silent_since=state.silent_since,
            outage_id=state.outage_id,
            hidden=state.hidden,
            changes=state.flap.changes,
            downs=state.flap.downs,
            flapping_since=state.flap.since,
            flapping_changes=state.flap.count,
        )

    def host_state(self) -> State:
        """The state to go on from."""
        flap = Flap(self.changes, self.downs, self.flapping_since, self.flapping_changes)
        return State(
            self.state,
            self.order,
            self.since,
            self.down_since,
            self.behind,
            self.silent_since,
            flap,
            self.outage_id,
            self.hidden,
        )


class PollerRecord(Record):
    """When a poller last looked, and since when it is blind. `order` is the second of writing."""

    seen_at: datetime
    blind_since: datetime | None = None


class MaintenanceRecord(Record):
    """When a flexible maintenance began: with the first outage that it covers."""

    id: MaintenanceId
    began_at: datetime


class OutageRecord(Record):
    """An outage of many hosts that is not over; what it is stands in its event."""


class QualityRecord(Record):
    """What is known of a host's connection; `order` is the number of what was told of it last.

    Beside the host's hard state and not inside it: the two change at their own times, and each has its own order.
    """

    id: HostId
    since: datetime | None = None
    severity: Severity = Severity.WARNING
    faults: tuple[QualityFault, ...] = ()
    words: str = ""
    days: tuple[float, ...] = ()  # median round trips in milliseconds, oldest first

    @classmethod
    def of(cls, host_id: HostId, standing: Standing, days: tuple[float, ...]) -> QualityRecord:
        """What of a connection survives."""
        return cls(
            order=standing.number,
            id=host_id,
            since=standing.since,
            severity=standing.severity,
            faults=standing.faults,
            words=standing.words,
            days=tuple(round(day, 3) for day in days),
        )

    def standing(self) -> Standing:
        """The standing to go on from."""
        return Standing(self.order, self.since, self.severity, self.faults, self.words)


class RouterRecord(Record):
    """Whether a router could be asked; `order` is its transition number."""

    id: RouterId
    state: Reachability
    since: datetime | None = None

    @classmethod
    def of(cls, router_id: RouterId, reach: Reach) -> RouterRecord:
        """What of a reach survives."""
        return cls(order=reach.transition, id=router_id, state=reach.hard, since=reach.since)

    def reach(self) -> Reach:
        """The reach to go on from."""
        return Reach(self.state, self.order, self.since)


class SessionRecord(Record):
    """An open session; `order` is the number in its id. The key is deleted when the session is closed."""

    router_id: RouterId
    service: Service
    slot: str
    account: str
    opened_at: datetime
    address: str | None = None
    mac: str | None = None
    mark: str | None = None
    started_at: datetime | None = None
    server: str | None = None
    row: str | None = None
    line: str | None = None
    changes: int = 0

    @classmethod
    def of(cls, router_id: RouterId, service: Service, session: Session) -> SessionRecord:
        """What of a session survives."""
        return cls(
            order=session.number,
            router_id=router_id,
            service=service,
            slot=session.slot,
            account=session.account,
            opened_at=session.opened_at,
            address=session.address,
            mac=session.mac,
            mark=session.mark,
            started_at=session.started_at,
            server=session.server,
            row=session.row,
            line=session.line,
            changes=session.changes,
        )

    def session(self) -> Session:
        """The session to go on from."""
        return Session(
            slot=self.slot,
            number=self.order,
            account=self.account,
            opened_at=self.opened_at,
            address=self.address,
            mac=self.mac,
            mark=self.mark,
            started_at=self.started_at,
            server=self.server,
            row=self.row,
            line=self.line,
            changes=self.changes,
        )


class SaidRecord(Record):
    """How far what a router's scripts said has been made facts of; `order` is the place in the stream of events."""

    router_id: RouterId


R = TypeVar("R", bound=Record)


def read_record(kind: type[R], value: bytes) -> R | None:
    """A record, or None if it cannot be read (which counts as absent)."""
    try:
        return kind.model_validate_json(value)
    except ValidationError:
        return None


def host_key(host_id: HostId) -> str:
    """Where a host's state lies."""
    return HOSTS + escape_token(host_id)


def poller_key(instance: str) -> str:
    """Where a poller's own record lies."""
    return POLLERS + escape_token(instance)


def maintenance_key(maintenance_id: MaintenanceId) -> str:
    """Where the beginning of a flexible maintenance lies."""
    return MAINTENANCES + escape_token(maintenance_id)


def outage_key(outage_id: str) -> str:
    """Where an outage that is not over lies."""
    return OUTAGES + escape_token(outage_id)


def quality_key(host_id: HostId) -> str:
    """Where what is known of a host's connection lies."""
    return QUALITY + escape_token(host_id)


def router_key(router_id: RouterId) -> str:
    """Where a router's state lies."""
    return ROUTERS + escape_token(router_id)


def session_key(router_id: RouterId, service: Service, slot: str) -> str:
    """Where an open session lies."""
    return f"{sessions_of(router_id)}{service}.{escape_token(slot)}"


def drop_key(router_id: RouterId, drop_id: str) -> str:
    """Under which sessions that ended together are told in order. Nothing lies there."""
    return f"{DROPS}{escape_token(router_id)}.{drop_id}"


def said_key(router_id: RouterId) -> str:
    """Where it lies how far a router's scripts have been heard."""
    return SAID + escape_token(router_id)


def sessions_of(router_id: RouterId) -> str:
    """The prefix of all open sessions of a router."""
    return f"{SESSIONS}{escape_token(router_id)}."
