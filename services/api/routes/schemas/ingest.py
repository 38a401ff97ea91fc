"""Secrets and scripts of routers that tell us things. A secret is shown once."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import BaseModel

from services.api.core.router_scripts import RouterScript
from services.api.ports import IngestToken


class RouterScriptView(BaseModel):
    """A script and where it belongs."""

    where: str
    source: str
    note: str

    @classmethod
    def of(cls, script: RouterScript) -> Self:
        """From its text."""
        return cls(where=script.where, source=script.source, note=script.note)


class IngestTokenView(BaseModel):
    """A secret of a router, without the secret."""

    id: str
    router_id: str
    created_at: datetime
    created_by: str

    @classmethod
    def of(cls, token: IngestToken) -> Self:
        """From its row."""
        return cls(**{name: getattr(token, name) for name in IngestTokenView.model_fields})


class IngestTokenMade(IngestTokenView):
    """A new secret; it and the scripts with it are shown this once."""

    secret: str
    scripts: list[RouterScriptView]
