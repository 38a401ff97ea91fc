"""Whether the api can do its work."""

from __future__ import annotations

from pydantic import BaseModel, Field


class HealthView(BaseModel):
    """Whether the api can do its work."""

    status: str = Field(description="`ok` or `degraded`.")
    database: bool
    bus: bool
