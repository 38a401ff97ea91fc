"""Announced work as the REST API takes and gives it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from services.api.ports import Kept
from services.api.routes.schemas.parts import Body, Name
from shared.contracts.inventory import Maintenance

Moment = Annotated[AwareDatetime, AfterValidator(lambda at: at.astimezone(UTC))]
Duration = Annotated[float, Field(gt=0, le=30 * 86_400)]
_FLEXIBLE = "Seconds, for flexible work: it begins with the first outage between begin and end, and lasts this long."


class MaintenanceNew(Body):
    """Work to come, or that has begun. What it names is measured on and not alarmed."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "title": "New sector antennas on Waru tower",
                    "begins_at": "2026-11-21T22:00:00+07:00",
                    "ends_at": "2026-11-22T02:00:00+07:00",
                    "site_ids": ["01s1te"],
                }
            ]
        }
    )
    title: Name
    begins_at: Moment
    ends_at: Moment
    duration_s: Duration | None = Field(default=None, description=_FLEXIBLE)
    site_ids: set[str] = Field(default=set())
    group_ids: set[str] = Field(default=set())
    host_ids: set[str] = Field(default=set())
    router_ids: set[str] = Field(default=set())


class MaintenancePatch(Body):
    """What shall be different about announced work; to end it now, say `ends_at` now."""

    title: Name | None = None
    begins_at: Moment | None = None
    ends_at: Moment | None = None
    duration_s: Duration | None = Field(default=None, description=_FLEXIBLE)
    site_ids: set[str] | None = None
    group_ids: set[str] | None = None
    host_ids: set[str] | None = None
    router_ids: set[str] | None = None


class MaintenanceView(BaseModel):
    """Announced work."""

    id: str
    title: str
    begins_at: datetime
    ends_at: datetime
    duration_s: float | None
    site_ids: list[str]
    group_ids: list[str]
    host_ids: list[str]
    router_ids: list[str]
    created_at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, kept: Kept[Maintenance]) -> Self:
        """From its row."""
        fields = kept.entity.model_dump()
        named = {name: sorted(value) for name, value in fields.items() if name.endswith("_ids")}
        return cls(**{**fields, **named}, created_at=kept.created_at, changed_at=kept.changed_at)
