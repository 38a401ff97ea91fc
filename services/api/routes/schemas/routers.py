"""Routers as the REST API takes and gives them. Passwords go in and never come out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from services.api.core.field_types import Percent
from services.api.core.standings import RouterStanding, RouterState
from services.api.ports import Kept
from services.api.routes.schemas.parts import Address, Body, Name, Port
from shared.contracts.inventory import Router, RouterLimits
from shared.contracts.vocabulary import TlsMode


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


class LimitsBody(Body):
    """Beyond these a router is under stress. What is not said stays as it is; null: not watched."""

    cpu_percent: Percent | None = None
    memory_percent: Percent | None = None
    disk_percent: Percent | None = None
    temperature_c: Annotated[float, Field(gt=0, le=150)] | None = None
    voltage_min: Annotated[float, Field(ge=0, le=100)] | None = None
    voltage_max: Annotated[float, Field(ge=0, le=100)] | None = None
    pool_percent: Percent | None = None
    clock_drift_s: Annotated[float, Field(ge=1, le=86_400)] | None = None

    def said(self) -> dict[str, float | None]:
        """The limits that the caller wrote."""
        return self.model_dump(exclude_unset=True)


class RouterNew(RouterAddress):
    """A router to register. Without a site: the only site, or one that is made for it."""

    site_id: str | None = None
    name: Name
    enabled: bool = True
    limits: LimitsBody = LimitsBody()
    known_logins: list[str] = Field(default=[], description="Addresses and networks of people; none: learned.")


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
    limits: LimitsBody | None = None
    known_logins: list[str] | None = None


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
    limits: RouterLimits
    known_logins: list[str]
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
