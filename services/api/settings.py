"""The api's settings."""

from __future__ import annotations

from pydantic import Field

from shared.config import DatabaseSettings, ServiceSettings
from shared.contracts.vocabulary import Language


class ApiSettings(ServiceSettings, DatabaseSettings):
    """What the api is told by its environment."""

    api_host: str = Field(
        default="127.0.0.1", description="Address that serves REST and the console; 0.0.0.0 in a container."
    )
    api_port: int = Field(default=8080, ge=0, le=65535, description="Its port; 0 takes a free one and logs it.")
    public_https: bool = Field(
        default=False, description="Whether browsers come by https (a proxy in front): cookies are then for https only."
    )
    ingest_url: str = Field(
        default="",
        description="Address under which routers reach the api for what their scripts tell it, such as "
        "http://10.0.0.5:8080; empty: the one by which the scripts are asked for.",
    )
    time_zone: str = Field(default="Asia/Jakarta", description="Time zone of who has chosen none.")
    language: Language = Field(default=Language.INDONESIAN, description="Language of who has chosen none.")
