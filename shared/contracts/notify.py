"""Deliveries that wait for a chat. The text is rendered when it is sent, from the notifier's own record."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from shared.contracts.ids import ChatId, DeliveryId
from shared.contracts.message import Message
from shared.contracts.subjects import Kind
from shared.contracts.vocabulary import Channel


class DeliveryDue(Message):
    """There is something to send to a chat. The order within one subject is the order of sending."""

    KIND: ClassVar[Kind] = Kind.NOTIFY
    NAME: ClassVar[str] = "delivery"
    SCOPE: ClassVar[tuple[str, ...]] = ("channel", "chat_id")
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "delivery_id": "01de11",
        "channel": "telegram",
        "chat_id": "01chat",
        "event_at": "2026-11-20T14:04:17Z",
    }

    delivery_id: DeliveryId
    channel: Channel
    chat_id: ChatId
    event_at: datetime

    def message_id(self) -> str:
        return f"delivery:{self.delivery_id}"
