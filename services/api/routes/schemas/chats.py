"""Chats as the REST API takes and gives them."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from services.api.ports import Kept
from services.api.routes.schemas.parts import Address, Body, Name, TimeZone
from shared.contracts.inventory import Chat
from shared.contracts.vocabulary import Channel, Language, Role, Subscription


class ChatNew(Body):
    """Somebody or some group to tell. `address`: a Telegram chat id or a phone number."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "NOC",
                    "channel": "telegram",
                    "address": "-1001234",
                    "role": "noc",
                    "receives": ["alerts"],
                }
            ]
        }
    )
    name: Name
    channel: Channel
    address: Address
    role: Role = Role.VIEWER
    language: Language = Language.INDONESIAN
    time_zone: TimeZone = "Asia/Jakarta"
    receives: set[Subscription] = Field(default=set())
    site_ids: set[str] = Field(default=set(), description="Empty: all sites.")
    enabled: bool = True


class ChatPatch(Body):
    """What shall be different about a chat."""

    name: Name | None = None
    role: Role | None = None
    language: Language | None = None
    time_zone: TimeZone | None = None
    receives: set[Subscription] | None = None
    site_ids: set[str] | None = None
    enabled: bool | None = None


class ChatView(BaseModel):
    """A chat."""

    id: str
    name: str
    channel: Channel
    address: str
    role: Role
    language: Language
    time_zone: str
    receives: list[Subscription]
    site_ids: list[str]
    enabled: bool
    created_at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, kept: Kept[Chat]) -> Self:
        """From its row."""
        chat = kept.entity
        rest = chat.model_dump(exclude={"receives", "site_ids"})
        return cls(
            **rest,
            receives=sorted(chat.receives),
            site_ids=sorted(chat.site_ids),
            created_at=kept.created_at,
            changed_at=kept.changed_at,
        )


class MessageAcceptedView(BaseModel):
    """The chat server took the message."""

    provider_message_id: str
