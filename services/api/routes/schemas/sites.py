"""Sites as the REST API takes and gives them."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict

from services.api.ports import Kept
from services.api.routes.schemas.parts import Body, Name, PolicyName
from shared.contracts.inventory import Site


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
