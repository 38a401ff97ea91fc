"""The api's settings."""

from __future__ import annotations

from pydantic import Field

from services.api.core.measurements import Kept
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
    recorder_waiting_rows: int = Field(
        default=1_000_000,
        ge=10_000,
        description="Rows of samples that wait at most (about 30 bytes each) while the database is away.",
    )
    keep_raw_days: int = Field(default=2, ge=1, le=60, description="Days that measurements are kept as they came.")
    keep_minutes_days: int = Field(default=14, ge=1, le=400, description="Days that one-minute rollups are kept.")
    keep_fives_days: int = Field(default=90, ge=1, le=1500, description="Days that five-minute rollups are kept.")
    keep_hours_days: int = Field(default=730, ge=31, le=7300, description="Days that one-hour rollups are kept.")
    keep_history_days: int = Field(
        default=1095, ge=31, le=7300, description="Days that events, ended sessions and hosts' transitions are kept."
    )
    language: Language = Field(default=Language.INDONESIAN, description="Language of who has chosen none.")

    def kept(self) -> Kept:
        """For how long what is kept."""
        return Kept(
            raw_days=self.keep_raw_days,
            minutes_days=self.keep_minutes_days,
            fives_days=self.keep_fives_days,
            hours_days=self.keep_hours_days,
            history_days=self.keep_history_days,
        )
