"""What the provisioner is told from outside."""

from __future__ import annotations

from pydantic import Field

from shared.config import ServiceSettings


class ProvisionerSettings(ServiceSettings):
    """See `.env.example`."""

    provisioner_session_wait_s: float = Field(
        default=2.0, gt=0, description="Seconds that a question or a kick waits for a router's session."
    )
    provisioner_places: int = Field(
        default=12, ge=1, le=16, description="Accounts that are worked on at once on one router."
    )
