"""Answers that are true now, and orders that expire."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field

from shared.contracts.actions import DisconnectSession
from shared.contracts.queries import PingReport
from shared.contracts.vocabulary import Service


class PingView(BaseModel):
    """Loss and round-trip times of a ping that was sent just now."""

    target: str
    address: str
    sent: int
    received: int
    loss_percent: float
    rtt_min_ms: float | None
    rtt_avg_ms: float | None
    rtt_max_ms: float | None

    @classmethod
    def of(cls, report: PingReport) -> Self:
        """From the poller's answer."""
        return cls(**report.model_dump(), loss_percent=report.loss_percent)


class DisconnectView(BaseModel):
    """An order on its way. It is carried out before `expires_at` or never; `session.closed` tells that it was."""

    router_id: str
    service: Service
    account: str
    expires_at: datetime = Field(description="A router that cannot be reached until then is not asked any more.")

    @classmethod
    def of(cls, order: DisconnectSession, expires_at: datetime) -> Self:
        """From the order."""
        return cls(router_id=order.router_id, service=order.service, account=order.account, expires_at=expires_at)
