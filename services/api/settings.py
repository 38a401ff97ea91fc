"""The api's settings."""

from __future__ import annotations

from pydantic import Field, SecretStr

from shared.config import ServiceSettings


class ApiSettings(ServiceSettings):
    """What the api is told by its environment. Names begin with `RONDA_`."""

    database_url: SecretStr = Field(description="PostgreSQL, e.g. postgresql://ronda@127.0.0.1/ronda")
    api_host: str = "127.0.0.1"
    api_port: int = Field(default=8080, ge=0, le=65535)
    public_https: bool = Field(default=False, description="Browsers reach the api by https: cookies are Secure.")
    time_zone: str = "Asia/Jakarta"
    language: str = "id"
