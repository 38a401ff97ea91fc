"""Secrets of routers."""

from __future__ import annotations

from dataclasses import fields

from services.api.adapters.rows import insert_sql
from services.api.ports import IngestToken
from shared.contracts.ids import RouterId
from shared.db import Transaction
from shared.errors import NotFound

_COLUMNS = [field.name for field in fields(IngestToken)]


class PostgresIngestTokens:
    """Secrets of routers inside one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def add(self, token: IngestToken) -> None:
        """Keep a secret's hash."""
        await self._tx.execute(insert_sql("ingest_tokens", _COLUMNS), *(getattr(token, name) for name in _COLUMNS))

    async def of_router(self, router_id: str) -> list[IngestToken]:
        """A router's, newest first."""
        rows = await self._tx.fetch("select * from ingest_tokens where router_id = $1 order by id desc", router_id)
        return [IngestToken(**{name: row[name] for name in _COLUMNS}) for row in rows]

    async def router_of(self, digest: str) -> RouterId | None:
        """Whose secret has this hash."""
        found: str | None = await self._tx.fetchval("select router_id from ingest_tokens where digest = $1", digest)
        return None if found is None else RouterId(found)

    async def remove(self, router_id: str, token_id: str) -> None:
        """Raises NotFound."""
        sql = "delete from ingest_tokens where router_id = $1 and id = $2"
        if await self._tx.execute(sql, router_id, token_id) == "DELETE 0":
            raise NotFound(f"The router has no token «{token_id}».")
