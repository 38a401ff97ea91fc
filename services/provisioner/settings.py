"""What the provisioner is told from outside."""

from __future__ import annotations

from pydantic import Field

from shared.config import ServiceSettings


class ProvisionerSettings(ServiceSettings):
    """See `.env.example`."""

    provisioner_session_wait_s: float = Field(
        default=2.0, gt=0, description="Seconds that a change waits for a router's session before the router is away."
    )
    provisioner_in_flight: int = Field(
        default=64, ge=1, le=1000, description="Changes that are worked on at once, over all routers."
    )
