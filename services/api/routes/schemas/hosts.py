"""Watched hosts as the REST API takes and gives them."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from services.api.core.standings import HostStanding
from services.api.ports import Kept
from services.api.routes.schemas.parts import Address, Body, Inherited, Name, Port
from shared.contracts.inventory import DnsCheck, Host, HttpCheck
from shared.contracts.vocabulary import HostState, ProbeKind


class HostNew(Body):
    """Something to watch by probes. `parents`: reachable if every group has one member that is."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"site_id": "01s1te", "name": "core-1", "address": "10.20.0.1"}]}
    )
    site_id: str
    name: Name
    address: Address
    probe: ProbeKind = ProbeKind.ICMP
    port: Port | None = Field(default=None, description="For TCP probes, and for DNS probes if it is not 53.")
    http: HttpCheck | None = Field(default=None, description="For HTTP probes: the page.")
    dns: DnsCheck | None = Field(default=None, description="For DNS probes: what to ask for.")
    via_router: str | None = Field(default=None, description="For router and netwatch probes: the router that looks.")
    group_id: str | None = None
    policy: Inherited | None = Field(default=None, description="Nothing: its group's, else its site's.")
    parents: list[list[str]] = Field(default=[])
    enabled: bool = True


class HostPatch(Body):
    """What shall be different about a host."""

    site_id: str | None = None
    name: Name | None = None
    address: Address | None = None
    probe: ProbeKind | None = None
    port: Port | None = None
    http: HttpCheck | None = None
    dns: DnsCheck | None = None
    via_router: str | None = None
    group_id: str | None = None
    policy: Inherited | None = None
    parents: list[list[str]] | None = None
    enabled: bool | None = None


class HostView(BaseModel):
    """A watched host and its state: the last hard one, or what is wrong with a host that answers."""

    id: str
    site_id: str
    name: str
    address: str
    probe: ProbeKind
    port: int | None
    http: HttpCheck | None
    dns: DnsCheck | None
    via_router: str | None
    group_id: str | None
    policy: str = Field(description="Its own; nothing: its group's, else its site's.")
    policy_in_force: str = Field(description="By which it is watched now.")
    parents: list[list[str]]
    enabled: bool
    state: HostState
    since: datetime | None = None
    rtt_ms: float | None = None
    created_at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, kept: Kept[Host], standing: HostStanding | None, policy_in_force: str) -> Self:
        """From its row, its last standing, and the policy that holds for it."""
        return cls(
            **kept.entity.model_dump(),
            policy_in_force=policy_in_force,
            state=standing.shown if standing else HostState.UNKNOWN,
            since=standing.shown_since if standing else None,
            rtt_ms=standing.rtt_ms if standing else None,
            created_at=kept.created_at,
            changed_at=kept.changed_at,
        )
