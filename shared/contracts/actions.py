"""Actions: orders that may be refused and that expire. A kick that is a minute late must not happen."""

from __future__ import annotations

from typing import Any, ClassVar

from shared.contracts.ids import RouterId
from shared.contracts.message import Message
from shared.contracts.subjects import Kind
from shared.contracts.vocabulary import Service


class DisconnectSession(Message):
    """Close every running session of an account on a router now."""

    KIND: ClassVar[Kind] = Kind.ACTION
    NAME: ClassVar[str] = "session.disconnect"
    SCOPE: ClassVar[tuple[str, ...]] = ("router_id",)
    TTL_S: ClassVar[float] = 60.0
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "router_id": "01r0ut",
        "service": "hotspot",
        "account": "budi@paket10",
        "requested_by": "sari",
    }

    router_id: RouterId
    service: Service
    account: str
    requested_by: str
