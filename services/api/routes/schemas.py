"""What the REST API takes and gives. Secrets go in and never come out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

from services.api.core.account import Account, ApplyState
from services.api.core.board import HostStanding, RouterStanding, RouterState
from services.api.core.cursor import Page
from services.api.core.phone import normalise_phone
from services.api.core.rights import Caller, Scope
from services.api.ports import AuditLine, Kept, PastEvent, Person, SubscriberSession, Token
from shared.contracts.inventory import PROBE_POLICIES, Chat, Host, Router, Site
from shared.contracts.vocabulary import (
    AccountStatus,
    Channel,
    HostState,
    Language,
    ProbeKind,
    Role,
    Service,
    Subscription,
    TlsMode,
)

T = TypeVar("T")


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("Control characters cannot be part of a name.")
    return text


def _policy(name: str) -> str:
    if name not in PROBE_POLICIES:
        raise ValueError(f"There is no policy «{name}»; choose one of {', '.join(PROBE_POLICIES)}.")
    return name


def _phone(text: str) -> str:
    if text == "":
        return text
    number = normalise_phone(text)
    if number is None:
        raise ValueError("This is no phone number; write it like 0857… or +62857….")
    return number


def _time_zone(name: str) -> str:
    from zoneinfo import available_timezones

    if name not in available_timezones():
        raise ValueError(f"There is no time zone «{name}»; write it like Asia/Jakarta.")
    return name


Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120), AfterValidator(_printable)
]
AccountName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), AfterValidator(_printable)
]
Address = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=253, pattern=r"^[^\s/]+$")]
PolicyName = Annotated[str, AfterValidator(_policy)]
Phone = Annotated[str, AfterValidator(_phone)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Port = Annotated[int, Field(ge=1, le=65535)]


class Body(BaseModel):
    """What a caller sends: unknown fields are refused, since they are mistakes more often than not."""

    model_config = ConfigDict(extra="forbid")

    def wanted(self, *without: str, nullable: tuple[str, ...] = ()) -> dict[str, Any]:
        """The fields that the caller wrote. `null` means "leave it", except where it is a value (`nullable`)."""
        return {
            name: getattr(self, name)
            for name in self.model_fields_set
            if name not in without and (name in nullable or getattr(self, name) is not None)
        }


class PageView(BaseModel, Generic[T]):
    """Some rows; ask again with `cursor=next_cursor` for the next ones."""

    items: list[T]
    next_cursor: str | None = None


class SiteNew(Body):
    """A place to watch."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Waru", "policy": "infra"}]})
    name: Name
    policy: PolicyName = "standard"


class SitePatch(Body):
    """What shall be different about a site."""

    name: Name | None = None
    policy: PolicyName | None = None


class SiteView(BaseModel):
    """A place."""

    id: str
    name: str
    policy: str
    created_at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, kept: Kept[Site]) -> Self:
        """From its row."""
        return cls(**kept.entity.model_dump(), created_at=kept.created_at, changed_at=kept.changed_at)


class RouterAddress(Body):
    """How to log in to a router."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"host": "203.0.113.7", "username": "ronda", "password": "secret"}]}
    )
    host: Address
    port: Port | None = Field(default=None, description="8728, or 8729 with TLS, unless you say otherwise.")
    tls: TlsMode = TlsMode.OFF
    tls_fingerprint: str | None = Field(default=None, description="SHA-256 of the certificate, for `pinned`.")
    username: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    password: SecretStr = SecretStr("")

    def actual_port(self) -> int:
        """The port asked for, or the usual one."""
        return self.port or (8728 if self.tls is TlsMode.OFF else 8729)


class RouterNew(RouterAddress):
    """A router to register. Without a site: the only site, or one that is made for it."""

    site_id: str | None = None
    name: Name
    enabled: bool = True


class RouterPatch(Body):
    """What shall be different about a router."""

    site_id: str | None = None
    name: Name | None = None
    host: Address | None = None
    port: Port | None = None
    tls: TlsMode | None = None
    tls_fingerprint: str | None = None
    username: str | None = None
    password: SecretStr | None = None
    enabled: bool | None = None


class RouterView(BaseModel):
    """A router and what is known of it. The password never comes out."""

    id: str
    site_id: str
    name: str
    host: str
    port: int
    tls: TlsMode
    tls_fingerprint: str | None
    username: str
    enabled: bool
    state: RouterState
    since: datetime | None = None
    identity: str | None = None
    version: str | None = None
    board: str | None = None
    reason: str | None = None
    created_at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, kept: Kept[Router], standing: RouterStanding | None) -> Self:
        """From its row and its last standing."""
        return cls(
            **kept.entity.model_dump(exclude={"sealed_password"}),
            state=standing.state if standing else RouterState.UNKNOWN,
            since=standing.since if standing else None,
            identity=standing.identity if standing else None,
            version=standing.version if standing else None,
            board=standing.board if standing else None,
            reason=standing.reason if standing else None,
            created_at=kept.created_at,
            changed_at=kept.changed_at,
        )


class HostNew(Body):
    """Something to watch by probes. `parents`: reachable if every group has one member that is."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"site_id": "01s1te", "name": "core-1", "address": "10.20.0.1"}]}
    )
    site_id: str
    name: Name
    address: Address
    probe: ProbeKind = ProbeKind.ICMP
    port: Port | None = Field(default=None, description="For TCP probes only.")
    policy: PolicyName | None = Field(default=None, description="The site's, unless you say otherwise.")
    parents: list[list[str]] = []
    enabled: bool = True

    @model_validator(mode="after")
    def _port_belongs_to_tcp(self) -> Self:
        if self.probe is ProbeKind.TCP and self.port is None:
            raise ValueError("A TCP probe needs a port.")
        if self.probe is ProbeKind.ICMP and self.port is not None:
            raise ValueError("An ICMP probe has no port.")
        return self


class HostPatch(Body):
    """What shall be different about a host."""

    site_id: str | None = None
    name: Name | None = None
    address: Address | None = None
    probe: ProbeKind | None = None
    port: Port | None = None
    policy: PolicyName | None = None
    parents: list[list[str]] | None = None
    enabled: bool | None = None


class HostView(BaseModel):
    """A watched host and its last hard state."""

    id: str
    site_id: str
    name: str
    address: str
    probe: ProbeKind
    port: int | None
    policy: str
    parents: list[list[str]]
    enabled: bool
    state: HostState
    since: datetime | None = None
    rtt_ms: float | None = None
    created_at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, kept: Kept[Host], standing: HostStanding | None) -> Self:
        """From its row and its last standing."""
        return cls(
            **kept.entity.model_dump(),
            state=standing.state if standing else HostState.UNKNOWN,
            since=standing.since if standing else None,
            rtt_ms=standing.rtt_ms if standing else None,
            created_at=kept.created_at,
            changed_at=kept.changed_at,
        )


class ChatNew(Body):
    """Somebody or some group to tell. `address`: a Telegram chat id or a phone number."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "NOC",
                    "channel": "telegram",
                    "address": "-1001234",
                    "role": "noc",
                    "receives": ["alerts"],
                }
            ]
        }
    )
    name: Name
    channel: Channel
    address: Address
    role: Role = Role.VIEWER
    language: Language = Language.INDONESIAN
    time_zone: TimeZone = "Asia/Jakarta"
    receives: set[Subscription] = set()
    site_ids: set[str] = Field(default=set(), description="Empty: all sites.")
    enabled: bool = True


class ChatPatch(Body):
    """What shall be different about a chat."""

    name: Name | None = None
    role: Role | None = None
    language: Language | None = None
    time_zone: TimeZone | None = None
    receives: set[Subscription] | None = None
    site_ids: set[str] | None = None
    enabled: bool | None = None


class ChatView(BaseModel):
    """A chat."""

    id: str
    name: str
    channel: Channel
    address: str
    role: Role
    language: Language
    time_zone: str
    receives: list[Subscription]
    site_ids: list[str]
    enabled: bool
    created_at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, kept: Kept[Chat]) -> Self:
        """From its row."""
        chat = kept.entity
        rest = chat.model_dump(exclude={"receives", "site_ids"})
        return cls(
            **rest,
            receives=sorted(chat.receives),
            site_ids=sorted(chat.site_ids),
            created_at=kept.created_at,
            changed_at=kept.changed_at,
        )


class AccountNew(Body):
    """An account that shall exist on a router."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "router_id": "01r0ut",
                    "service": "ppp",
                    "name": "budi@paket10",
                    "password": "rahasia",
                    "profile": "paket10",
                    "phone": "085712345678",
                    "full_name": "Budi Santoso",
                }
            ]
        }
    )
    router_id: str
    service: Service
    name: AccountName
    password: SecretStr = Field(min_length=1, max_length=128)
    profile: Name = Field(description="Must exist on the router; the router's own words come back if it does not.")
    status: AccountStatus = AccountStatus.ACTIVE
    comment: Annotated[str, AfterValidator(_printable)] | None = None
    phone: Phone | None = Field(default=None, description="0857… or +62857…; kept as 62857….")
    full_name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)] = ""
    language: Language = Language.INDONESIAN
    tell_sessions: bool = True


class AccountPatch(Body):
    """What shall be different about an account. A new name is a new account."""

    name: str | None = Field(default=None, description="Only the name that it has; renaming is not supported.")
    password: SecretStr | None = Field(default=None, min_length=1, max_length=128)
    profile: Name | None = None
    status: AccountStatus | None = None
    comment: Annotated[str, AfterValidator(_printable)] | None = None
    phone: Phone | None = Field(default=None, description="An empty text removes the number.")
    full_name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)] | None = None
    language: Language | None = None
    tell_sessions: bool | None = None


class FailureView(BaseModel):
    """Why the router refused."""

    code: str
    router_words: str
    advice: str


class AccountView(BaseModel):
    """An account: what is wanted (`generation`) and how far the router is (`applied_generation`, `apply_state`)."""

    id: str
    router_id: str
    service: Service
    name: str
    profile: str
    status: AccountStatus
    comment: str | None
    phone: str | None
    full_name: str
    language: Language
    tell_sessions: bool
    generation: int
    applied_generation: int
    apply_state: ApplyState
    failure: FailureView | None
    applied_at: datetime | None
    took_ms: float | None
    created_at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, account: Account) -> Self:
        """From the account, without its password."""
        wanted = {name: getattr(account, name) for name in cls.model_fields if name != "failure"}
        failure = account.failure
        view = (
            FailureView(code=failure.code, router_words=failure.router_words, advice=failure.advice)
            if failure
            else None
        )
        return cls(**wanted, failure=view)


class SessionView(BaseModel):
    """A subscriber's session. `closed_at` null: open as far as we know."""

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

    @classmethod
    def of(cls, session: SubscriberSession) -> Self:
        """From its row."""
        return cls(**{name: getattr(session, name) for name in cls.model_fields})


class EventView(BaseModel):
    """An event of the past; `body` is the message as it was on the bus."""

    id: str
    type: str = Field(examples=["host.down"])
    at: datetime
    site_id: str | None
    router_id: str | None
    host_id: str | None
    account: str | None
    body: dict[str, Any]

    @classmethod
    def of(cls, event: PastEvent) -> Self:
        """From its row."""
        return cls(**{name: getattr(event, name) for name in cls.model_fields})


class PersonNew(Body):
    """Somebody who may log in."""

    login: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=r"^\S+$")]
    name: Name
    role: Role
    password: SecretStr = Field(min_length=10, max_length=256)
    language: Language | None = None
    time_zone: TimeZone | None = None


class PersonPatch(Body):
    """What shall be different about a person."""

    name: Name | None = None
    role: Role | None = None
    password: SecretStr | None = Field(default=None, min_length=10, max_length=256)
    language: Language | None = None
    time_zone: TimeZone | None = None
    enabled: bool | None = None


class PersonView(BaseModel):
    """A person."""

    id: str
    login: str
    name: str
    role: Role
    language: Language | None
    time_zone: str | None
    enabled: bool
    created_at: datetime

    @classmethod
    def of(cls, person: Person) -> Self:
        """From their row, without the password."""
        return cls(**{name: getattr(person, name) for name in cls.model_fields})


class TokenNew(Body):
    """A key for a program. It can never do more than the person who made it."""

    name: Name
    scopes: set[Scope] = Field(min_length=1)
    expires_at: datetime | None = None


class TokenView(BaseModel):
    """A key, without its secret."""

    id: str
    person_id: str
    name: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None

    @classmethod
    def of(cls, token: Token) -> Self:
        """From its row."""
        return cls(
            id=token.id,
            person_id=token.person_id,
            name=token.name,
            scopes=sorted(token.scopes),
            created_at=token.created_at,
            expires_at=token.expires_at,
        )


class TokenMade(TokenView):
    """A new key; `secret` is shown this once."""

    secret: str


class MeView(BaseModel):
    """Who you are and what you may do."""

    person_id: str
    name: str
    role: Role
    scopes: list[Scope]
    language: Language | None
    time_zone: str | None

    @classmethod
    def of(cls, caller: Caller) -> Self:
        """From the caller."""
        return cls(
            person_id=caller.person_id,
            name=caller.name,
            role=caller.role,
            scopes=sorted(caller.scopes),
            language=caller.language,
            time_zone=caller.time_zone,
        )


class AuditView(BaseModel):
    """Who did what to what."""

    id: str
    at: datetime
    by: str
    action: str
    entity: str
    entity_id: str
    detail: dict[str, Any]

    @classmethod
    def of(cls, line: AuditLine) -> Self:
        """From its row."""
        return cls(**{name: getattr(line, name) for name in cls.model_fields})


class RouterFoundView(BaseModel):
    """What a router said of itself when it was tried."""

    identity: str
    version: str
    board: str
    uptime_s: int
    policies: list[str]
    missing_policies: list[str]
    hotspot_users: int | None
    ppp_secrets: int | None
    took_ms: float


class MessageAcceptedView(BaseModel):
    """The chat server took the message."""

    provider_message_id: str


class HealthView(BaseModel):
    """Whether the api can do its work."""

    status: str = Field(description="`ok` or `degraded`.")
    database: bool
    bus: bool


def page_view(page: Page[Any], view: type[T], *args: Any) -> PageView[T]:
    """A page of rows as a page of views."""
    return PageView(items=[view.of(row, *args) for row in page.items], next_cursor=page.next_cursor)  # type: ignore[attr-defined]
