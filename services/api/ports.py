"""What the api's handlers ask of the outside, in our own words.

A `Unit` is one transaction: rows, outgoing messages, inventory entries and audit lines become true together or not at
all. `adapters.postgres` keeps these promises on PostgreSQL, `tests/fakes/api_store.py` in memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from services.api.core.account import Account, ApplyState
from services.api.core.alerts import Alert, AlertState
from services.api.core.announced import WorkNow
from services.api.core.availability import Change, Span
from services.api.core.backlog import Block, ReadingBlock
from services.api.core.charts import Measured, Point, ReadingPoint
from services.api.core.cursor import Page, PageWish
from services.api.core.facts import BoardFacts
from services.api.core.measurements import Wanted
from services.api.core.rights import Scope
from services.api.core.search import Found, SearchWish
from services.api.core.standings import Condition, HostStanding, RouterStanding
from shared.contracts.envelope import Envelope
from shared.contracts.events import AlertEvent, Event, SessionChanged, SessionClosed, SessionOpened
from shared.contracts.ids import RouterId
from shared.contracts.inventory import Chat, Host, HostGroup, Maintenance, ProbePolicy, Router, Site
from shared.contracts.message import Contract, Message
from shared.contracts.vocabulary import AccountStatus, Language, Role, Service

T = TypeVar("T", bound=Contract)
Entity = Site | Router | Host | Chat | HostGroup | Maintenance


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    """A row of the inventory and when it was written."""

    entity: T
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may log in."""

    id: str
    login: str
    name: str
    role: Role
    password_hash: str
    created_at: datetime
    language: Language | None = None
    time_zone: str | None = None
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """A log-in of a browser; `digest` is the hash of what the cookie holds."""

    id: str
    person_id: str
    digest: str
    csrf: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Token:
    """A key for programs; `digest` is the hash of its secret. `scopes` None: all that the person's role has."""

    id: str
    person_id: str
    name: str
    digest: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class IngestToken:
    """By what a router may tell us things; `digest` is the hash of its secret."""

    id: str
    router_id: RouterId
    digest: str
    created_at: datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class SubscriberSession:
    """A subscriber's session as history has it. `opened_at` None: it closed before we knew that it was open."""

    session_id: str
    router_id: str
    router_name: str
    site_id: str
    service: Service
    account: str
    address: str | None
    mac: str | None
    opened_at: datetime | None
    closed_at: datetime | None
    duration_s: float | None
    bytes_in: int | None
    bytes_out: int | None
    reason: str | None
    inferred: bool


@dataclass(frozen=True, slots=True)
class PastEvent:
    """An event as the history keeps it."""

    id: str
    type: str
    at: datetime
    site_id: str | None
    router_id: str | None
    host_id: str | None
    account: str | None
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AccountFilter:
    """Which accounts are wanted; None: all. Accounts that are gone are left out unless `status` asks for them."""

    router_id: str | None = None
    service: Service | None = None
    status: AccountStatus | None = None
    apply_state: ApplyState | None = None
    name: str | None = None
    text: str | None = None  # part of name, full name or phone


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Which subscriber sessions are wanted."""

    open_only: bool = False
    router_id: str | None = None
    account: str | None = None
    service: Service | None = None


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which past events are wanted; `types` are names such as `host.down`."""

    types: tuple[str, ...] = ()
    site_id: str | None = None
    router_id: str | None = None
    host_id: str | None = None
    account: str | None = None


@dataclass(frozen=True, slots=True)
class AuditLine:
    """Who did what to what. Never holds a secret."""

    id: str
    at: datetime
    by: str
    action: str
    entity: str
    entity_id: str
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What a POST with an Idempotency-Key was answered with."""

    fingerprint: str
    status: int
    body: str


class Table(Protocol[T]):
    """One kind of inventory entity."""

    async def get(self, entity_id: str) -> Kept[T]:
        """Raises NotFound."""
        ...

    async def find(self, wish: PageWish, **equal: str) -> Page[Kept[T]]:
        """A page in the order of names."""
        ...

    async def add(self, entity: T, now: datetime) -> Kept[T]:
        """Raises NameTaken."""
        ...

    async def replace(self, entity: T, now: datetime) -> Kept[T]:
        """Raises NotFound and NameTaken."""
        ...

    async def remove(self, entity_id: str) -> None:
        """Raises NotFound, and StillInUse when other rows refer to it."""
        ...


class AccountRows(Protocol):
    async def get(self, account_id: str, *, lock: bool = False) -> Account:
        """Raises NotFound. With `lock` nobody else changes it before this transaction ends."""
        ...

    async def by_name(self, router_id: str, service: Service, name: str) -> Account | None: ...
    async def find(self, chosen: AccountFilter, wish: PageWish) -> Page[Account]: ...
    async def add(self, account: Account) -> None: ...
    async def replace(self, account: Account) -> None: ...
    async def count_on(self, router_id: str) -> int:
        """How many accounts a router has that are not gone."""
        ...


class PeopleRows(Protocol):
    async def add(self, person: Person) -> None: ...
    async def replace(self, person: Person) -> None: ...
    async def get(self, person_id: str) -> Person: ...
    async def by_login(self, login: str) -> Person | None: ...
    async def all(self) -> list[Person]: ...
    async def add_session(self, session: BrowserSession) -> None: ...
    async def session(self, digest: str) -> tuple[BrowserSession, Person] | None: ...
    async def session_end(self, session_id: str) -> datetime | None:
        """When a session ends; None: it has, or its person may not log in any more."""
        ...

    async def token_end(self, token_id: str) -> datetime | None:
        """When a token ends (far away for those that do not); None: it is gone, or its person is locked out."""
        ...

    async def end_session(self, session_id: str) -> None: ...
    async def end_sessions_of(self, person_id: str) -> None: ...
    async def add_token(self, token: Token) -> None: ...
    async def token(self, digest: str) -> tuple[Token, Person] | None: ...
    async def tokens(self) -> list[Token]: ...
    async def remove_token(self, token_id: str) -> None: ...


class IngestTokenRows(Protocol):
    """By what routers may tell us things."""

    async def add(self, token: IngestToken) -> None: ...
    async def of_router(self, router_id: str) -> list[IngestToken]: ...
    async def router_of(self, digest: str) -> RouterId | None: ...
    async def remove(self, router_id: str, token_id: str) -> None:
        """Raises NotFound."""
        ...


class HistoryRows(Protocol):
    """What the bus told, projected."""

    async def record(self, envelope: Envelope, event: Event) -> None: ...
    async def events(self, chosen: EventFilter, wish: PageWish) -> Page[PastEvent]: ...
    async def open_session(self, event: SessionOpened) -> None: ...
    async def change_session(self, event: SessionChanged) -> None: ...
    async def close_session(self, event: SessionClosed) -> None: ...
    async def sessions(self, chosen: SessionFilter, wish: PageWish) -> Page[SubscriberSession]: ...
    async def set_host(self, standing: HostStanding) -> bool:
        """Whether it was news: an older transition changes nothing."""
        ...

    async def set_router(self, standing: RouterStanding) -> bool: ...
    async def set_condition(self, host_id: str, condition: Condition, *, since: datetime | None, at: datetime) -> None:
        """A condition of a host lasts since then, or (None) is over; what was told later counts."""
        ...

    async def hosts(self) -> dict[str, HostStanding]: ...
    async def routers(self) -> dict[str, RouterStanding]: ...
    async def forget(self, entity_id: str) -> None:
        """Drop the standing of a host or router that left the inventory."""
        ...

    async def session(self, session_id: str) -> SubscriberSession:
        """Raises NotFound."""
        ...

    async def board(self, now: datetime) -> BoardFacts: ...
    async def work(self, now: datetime) -> tuple[WorkNow, ...]:
        """Announced work that lasts now."""
        ...


class AlertRows(Protocol):
    """Alerts, projected."""

    async def take_in(self, event: AlertEvent) -> None:
        """In any order: what another event told stays."""
        ...

    async def taken_on(self, incident_id: str, *, by: str, at: datetime) -> None:
        """Somebody has it in hand, before the event says so too."""
        ...

    async def get(self, incident_id: str) -> Alert:
        """Raises NotFound."""
        ...

    async def find(self, states: Sequence[AlertState], wish: PageWish) -> Page[Alert]:
        """Newest first; no states named means all."""
        ...


class MeasuredRows(Protocol):
    """What was measured, and for how long which host was in what state."""

    async def note_change(self, host_id: str, change: Change) -> None:
        """Keep a change of a host's state; the same one again changes nothing."""
        ...

    async def changes(self, hosts: Sequence[str], span: Span) -> dict[str, list[Change]]:
        """The changes of these hosts within a span, and of each the last one before it."""
        ...

    async def work(self, span: Span) -> list[Maintenance]:
        """Announced work that touches a span."""
        ...

    async def quality(self, hosts: Sequence[str], span: Span) -> dict[str, Measured]:
        """How these hosts' connections were over a span, from its hours in which anything came back."""
        ...

    async def chart(self, host_id: str, wanted: Wanted, span: Span) -> list[Point]:
        """A host's points within a span, in order; where nothing was measured there is none."""
        ...

    async def readings(self, router_id: str, metric: str, part: str, wanted: Wanted, span: Span) -> list[ReadingPoint]:
        """As `chart`, of one thing that a router says of itself."""
        ...

    async def series(self, router_id: str) -> list[tuple[str, str]]:
        """What a router has ever said of itself: metric and part, in order."""
        ...


class Unit(Protocol):
    """One transaction."""

    @property
    def sites(self) -> Table[Site]: ...
    @property
    def routers(self) -> Table[Router]: ...
    @property
    def hosts(self) -> Table[Host]: ...
    @property
    def chats(self) -> Table[Chat]: ...
    @property
    def groups(self) -> Table[HostGroup]: ...
    @property
    def maintenances(self) -> Table[Maintenance]:
        """In the order of titles."""
        ...

    @property
    def policies(self) -> Table[ProbePolicy]:
        """What somebody made or changed, by name; what ships is `PROBE_POLICIES`."""
        ...

    @property
    def accounts(self) -> AccountRows: ...
    @property
    def people(self) -> PeopleRows: ...
    @property
    def ingest_tokens(self) -> IngestTokenRows: ...
    @property
    def history(self) -> HistoryRows: ...
    @property
    def alerts(self) -> AlertRows: ...
    @property
    def measured(self) -> MeasuredRows: ...

    async def publish(self, message: Message) -> None:
        """Say this on the bus when, and only when, the transaction succeeds."""
        ...

    async def announce(self, key: str, value: Contract | None) -> None:
        """Put an entry into the bucket `inventory` (None: take it out) when the transaction succeeds."""
        ...

    async def first_time(self, consumer: str, envelope_id: str) -> bool:
        """Whether this consumer sees this message for the first time."""
        ...

    async def search(self, wish: SearchWish, limit: int) -> list[Found]:
        """At most `limit` of each kind, what is alive first."""
        ...

    async def audit(self, line: AuditLine) -> None: ...
    async def audit_lines(self, wish: PageWish) -> Page[AuditLine]: ...
    async def recall(self, owner: str, key: str) -> StoredAnswer | None:
        """The answer to an earlier request with this Idempotency-Key; holds the key until the transaction ends."""
        ...

    async def remember(self, owner: str, key: str, answer: StoredAnswer, now: datetime) -> None: ...


class Store(Protocol):
    """The api's own memory."""

    def unit(self) -> AbstractAsyncContextManager[Unit]: ...


class SampleStore(Protocol):
    """Where measurements go."""

    async def write(self, blocks: Sequence[Block | ReadingBlock], now: datetime) -> None:
        """All of these blocks or none."""
        ...


class InventorySource(Protocol):
    """What the bucket `inventory` must hold, for comparing all of it."""

    async def entries(self) -> Mapping[str, str]:
        """Key and value of every entry, as of now."""
        ...


class PasswordHasher(Protocol):
    """People's passwords."""

    def hash(self, password: str) -> str: ...
    def verify(self, password_hash: str, password: str) -> bool: ...


class Sealer(Protocol):
    """Encrypts what the services on the bus need and nobody else may read."""

    def seal(self, plain: str, *, purpose: str) -> str: ...
