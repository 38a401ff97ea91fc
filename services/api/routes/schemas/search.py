"""Results of the search."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field

from services.api.core.search import Found, FoundKind


class FoundView(BaseModel):
    """One result."""

    kind: FoundKind
    id: str
    name: str
    where: str = Field(description="The router or site that it belongs to.")
    state: str
    address: str | None
    mac: str | None
    detail: str | None
    at: datetime | None = Field(description="Of a session's beginning or end, or of a state's beginning.")

    @classmethod
    def of(cls, found: Found) -> Self:
        """From what was found."""
        return cls(**{name: getattr(found, name) for name in cls.model_fields})


class FoundList(BaseModel):
    """What was found, at most a few of each kind."""

    items: list[FoundView]
