"""The notifier's memory on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from services.notifier.adapters.store import MIGRATIONS, SCHEMA, PostgresStore
from shared.db.migrations import migrate
from shared.db.pool import Database
from tests.cases.notifier_store import NotifierStoreCases, opened, sent
from tests.fakes.notifier_facts import recipient


class TestPostgresStore(NotifierStoreCases):
    @pytest.fixture
    async def database(self, notifier_database_url: str) -> AsyncIterator[Database]:
        async with Database.connect(notifier_database_url, schema=SCHEMA, source="notifier") as database:
            await migrate(database, MIGRATIONS)
            yield database

    @pytest.fixture
    def store(self, database: Database) -> PostgresStore:
        return PostgresStore(database)

    async def test_deliveries_leave_by_the_outbox(self, store: PostgresStore, database: Database) -> None:
        _, (first,) = await opened(store)
        left = await database.fetch("select subject, message_id from outbox")
        assert [tuple(row.values()) for row in left] == [
            ("ronda.v1.notify.delivery.telegram.noc", f"delivery:{first.id}")
        ]

    async def test_only_what_is_settled_is_forgotten(self, store: PostgresStore, database: Database) -> None:
        _, (first, _second) = await opened(store, recipient("noc"), recipient("owner"))
        await sent(store, first)
        await database.execute("update deliveries set settled_at = settled_at - interval '15 days'")
        await store.forget_old()
        assert await database.fetchval("select string_agg(chat_id, ' ') from deliveries") == "owner"
