"""Probe policies as the REST API takes and gives them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

from services.api.handlers.policies import KnownPolicy
from services.api.routes.schemas.parts import Body, PolicyName
from shared.contracts.inventory import ProbePolicy

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class PolicyPatch(Body):
    """What shall be different about a policy. Times are in seconds."""

    interval_s: Seconds | None = Field(default=None, description="Between two rounds.")
    max_timeout_s: Seconds | None = Field(default=None, description="How long an answer may take at most.")
    burst_size: int | None = Field(default=None, description="Probes after a first loss; all lost: down.")
    burst_spacing_s: Seconds | None = None
    second_burst_after_s: Seconds | None = Field(default=None, description="Null: one lost burst is enough.")
    recovery_size: int | None = Field(default=None, description="Probes after a dead host's first answer.")
    recovery_spacing_s: Seconds | None = None
    recovery_answers: int | None = Field(default=None, description="Answers that make it up, the first included.")
    hold_s: Seconds | None = Field(default=None, description="How long a message may wait for the parents' results.")
    blip_s: Seconds | None = Field(default=None, description="An outage shorter than this is a blip.")
    payload_bytes: Annotated[int, Field(ge=24, le=65_000)] | None = None
    dscp: Annotated[int, Field(ge=0, le=63)] | None = None
    quality_window_s: Seconds | None = Field(default=None, description="Over which delay, jitter and loss are graded.")
    train_size: int | None = Field(default=None, description="Packets in a row for the quality alone; 0: none.")
    train_spacing_s: Seconds | None = None
    train_every_s: Seconds | None = None

    def said(self) -> dict[str, Any]:
        """What the caller wrote; null is a value for the second burst alone."""
        return self.wanted("name", "based_on", nullable=("second_burst_after_s",))


class PolicyNew(PolicyPatch):
    """A policy of one's own."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "towers", "based_on": "infra", "interval_s": 0.5}]}
    )
    name: PolicyName
    based_on: PolicyName = Field(default="standard", description="What is not said is as in this one.")


class PolicyView(ProbePolicy):
    """A policy as it holds now."""

    shipped: bool = Field(description="One of this name ships with Ronda.")
    changed_at: datetime | None = Field(description="Null: as it ships.")

    @classmethod
    def of(cls, known: KnownPolicy) -> Self:
        """From what is known."""
        return cls(**known.policy.model_dump(), shipped=known.shipped, changed_at=known.changed_at)


class PoliciesView(BaseModel):
    """All policies: there are few, so there are no pages."""

    items: list[PolicyView]
    next_cursor: str | None = None
