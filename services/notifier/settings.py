"""What the notifier is told from the environment."""

from __future__ import annotations

from enum import StrEnum
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, field_validator, model_validator

from shared.config import DatabaseSettings, ServiceSettings
from shared.contracts.vocabulary import Language


class WhatsAppDriver(StrEnum):
    """By which way WhatsApp is reached."""

    NONE = "none"
    CLOUD = "cloud"
    GATEWAY = "gateway"


class GatewayFormat(StrEnum):
    """How a gateway wants its fields."""

    FORM = "form"
    JSON = "json"


GATEWAY_GAP_S = 6.0  # unofficial numbers that wrote faster were banned


class NotifierSettings(ServiceSettings, DatabaseSettings):
    """Channels and defaults. A channel without its secret is switched off."""

    telegram_token: SecretStr | None = Field(default=None, description="The Telegram bot's token, from @BotFather.")
    telegram_api_url: str = Field(
        default="https://api.telegram.org", description="Telegram's API server, or one of your own."
    )
    whatsapp_driver: WhatsAppDriver = Field(
        default=WhatsAppDriver.NONE, description="WhatsApp by Meta's Cloud API, by a /send-message gateway, or not."
    )
    whatsapp_url: str | None = Field(
        default=None, description="The gateway's address; of the Cloud API https://graph.facebook.com unless set."
    )
    whatsapp_version: str = Field(default="v23.0", description="Version of the Cloud API.")
    whatsapp_phone_id: str | None = Field(default=None, description="Phone number id at the Cloud API.")
    whatsapp_token: SecretStr | None = Field(
        default=None, description="Token of the Cloud API, or of a gateway that asks for one (sent as Bearer)."
    )
    whatsapp_app_secret: SecretStr | None = Field(
        default=None, description="App secret that signs the Cloud API's webhooks; unset: they are refused."
    )
    whatsapp_verify_token: SecretStr | None = Field(
        default=None, description="Word of your choice for the Cloud API's handshake and in the gateway's webhook path."
    )
    whatsapp_template: str = Field(
        default="noc_alert",
        description="Approved template with two parameters, used more than 24 h after a person's last message.",
    )
    whatsapp_notice_template: str = Field(
        default="subscriber_notice",
        description="The same for what only tells, such as a log-in: two parameters and no buttons.",
    )
    whatsapp_gap_s: float | None = Field(
        default=None,
        ge=0,
        description="Seconds between messages of a gateway, by chance up to 1.67 times that; unset: 6, 0: none.",
    )
    whatsapp_gateway_format: GatewayFormat = Field(
        default=GatewayFormat.FORM, description="Whether the gateway takes form fields or JSON."
    )
    time_zone: str = Field(default="Asia/Jakarta", description="Time zone of whoever has none of their own.")
    language: Language = Field(default=Language.INDONESIAN, description="Language of whoever has none of their own.")

    @field_validator("time_zone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as unknown:
            raise ValueError("this is no time zone; one is called Asia/Jakarta") from unknown
        return value

    @model_validator(mode="after")
    def _whatsapp_is_complete(self) -> Self:
        if self.whatsapp_driver is WhatsAppDriver.GATEWAY and not self.whatsapp_url:
            raise ValueError("RONDA_WHATSAPP_URL is missing: the gateway's address")
        if self.whatsapp_driver is WhatsAppDriver.CLOUD and not (self.whatsapp_phone_id and self.whatsapp_token):
            raise ValueError("the Cloud API needs RONDA_WHATSAPP_PHONE_ID and RONDA_WHATSAPP_TOKEN")
        return self

    @property
    def gateway_gap_s(self) -> float:
        """The shortest gap between two messages of a gateway, in seconds."""
        return GATEWAY_GAP_S if self.whatsapp_gap_s is None else self.whatsapp_gap_s
