"""Groups of hosts as the REST API takes and gives them."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from services.api.ports import Kept
from services.api.routes.schemas.parts import Body, Inherited, Name
from shared.contracts.inventory import HostGroup


class GroupNew(Body):
    """Hosts that are treated alike wherever they stand."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Access points", "policy": "standard"}]})
    name: Name
    policy: Inherited = Field(default="", description="Nothing: that of each host's site.")


class GroupPatch(Body):
    """What shall be different about a group."""

    name: Name | None = None
    policy: Inherited | None = None


class GroupView(BaseModel):
    """A group of hosts."""

    id: str
    name: str
    policy: str
    created_at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, kept: Kept[HostGroup]) -> Self:
        """From its row."""
        return cls(**kept.entity.model_dump(), created_at=kept.created_at, changed_at=kept.changed_at)
