"""The api's memory alone, without the web: for commands on the server such as making the owner."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from services.api.adapters.store import PostgresStore
from services.api.settings import ApiSettings
from shared.clock import Clock
from shared.db import Database, migrate

SOURCE = "ronda/api"
SCHEMA = "api"
MIGRATIONS = Path(__file__).parent.parent / "migrations"


@asynccontextmanager
async def open_database(settings: ApiSettings, clock: Clock | None = None) -> AsyncIterator[Database]:
    """The api's own schema, brought up to date."""
    opened = Database.connect(
        settings.database_url, schema=SCHEMA, source=SOURCE, clock=clock, pool_size=settings.database_pool_size
    )
    async with opened as database:
        await migrate(database, MIGRATIONS)
        yield database


@asynccontextmanager
async def open_store(settings: ApiSettings, clock: Clock | None = None) -> AsyncIterator[PostgresStore]:
    """What the api remembers, with nobody to tell of changes."""
    async with open_database(settings, clock) as database:
        yield PostgresStore(database, on_announce=lambda: None)
