"""What the poller is told from outside."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from services.poller.core.degraded import bounds_from
from shared.config import ServiceSettings


class PollerSettings(ServiceSettings):
    """See `.env.example`."""

    poller_sentinels: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Numeric addresses that practically always answer a ping, separated by commas (own gateway, one "
        "beyond): while all are silent the poller is blind, and no host is called down.",
    )

    poller_router_interval_s: float = Field(
        default=30.0,
        gt=0,
        le=600,
        description="Every so many seconds a router is asked for load, sensors, clock and interface counters (10 to 60 "
        "are sensible); for pools and neighbours half as often.",
    )
    poller_leases_most: int = Field(
        default=2000,
        ge=0,
        description="Routers with more bound DHCP leases than this are not told lease by lease; 0: none is.",
    )

    poller_sites: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Sites (ids or names, separated by commas) that this poller watches, and nothing else; no poller "
        "without this setting watches them any more. Empty: it shares everything else with its like.",
    )
    poller_spool: Path | None = Field(
        default=None,
        description="Directory in which a poller at a far site keeps what it has not told and what it must know to "
        "start while it is cut off; unset: it keeps this in memory alone.",
    )
    poller_late_after_s: float = Field(
        default=60.0,
        gt=0,
        description="A poller that was cut off from the bus for longer than this tells what it saw meanwhile as "
        "late: one summary instead of alarms.",
    )

    poller_degraded: str = Field(
        default="",
        description="Bounds of the degraded alarm that shall be others, separated by commas: loss_percent=5, "
        "loss_over_percent=3, critical_loss_percent=20, delay_least_ms=100, delay_factor=3, delay_over_share=0.8, "
        "jitter_ms=30, jitter_over_ms=20, windows_bad=2, windows_good=3.",
    )

    @field_validator("poller_degraded")
    @classmethod
    def _are_bounds(cls, value: str) -> str:
        bounds_from(value)
        return value

    @field_validator("poller_sentinels", "poller_sites", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip())

    @field_validator("poller_sentinels")
    @classmethod
    def _numeric(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for address in value:
            try:
                ipaddress.ip_address(address)
            except ValueError:
                raise ValueError(f"{address} is not a numeric address") from None
        return value
