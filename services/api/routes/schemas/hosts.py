"""Watched hosts as the REST API takes and gives them."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.api.core.standings import HostStanding
from services.api.ports import Kept
from services.api.routes.schemas.parts import Address, Body, Name, PolicyName, Port
from shared.contracts.inventory import Host
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
    port: Port | None = Field(default=None, description="For TCP probes only.")
    policy: PolicyName | None = Field(default=None, description="The site's, unless you say otherwise.")
    parents: list[list[str]] = Field(default=[])
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
    """A watched host and its state: the last hard one, or what is wrong with a host that answers."""

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
            state=standing.shown if standing else HostState.UNKNOWN,
            since=standing.shown_since if standing else None,
            rtt_ms=standing.rtt_ms if standing else None,
            created_at=kept.created_at,
            changed_at=kept.changed_at,
        )
