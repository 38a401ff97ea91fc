"""The api's memory: its own schema in PostgreSQL. A unit is a transaction with an outbox for messages and one for
entries of the bucket `inventory`."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from services.api.adapters.account_rows import PostgresAccounts
from services.api.adapters.alert_rows import PostgresAlerts
from services.api.adapters.history_rows import PostgresHistory
from services.api.adapters.ingest_rows import PostgresIngestTokens
from services.api.adapters.measured_rows import PostgresMeasured
from services.api.adapters.people_rows import PostgresPeople
from services.api.adapters.policy_rows import PolicyTable
from services.api.adapters.rows import Where, insert_sql
from services.api.adapters.search_rows import search_everywhere
from services.api.adapters.tables import InventoryTable
from services.api.core.account import subscriber_of
from services.api.core.cursor import Page, PageWish, cut_page
from services.api.core.search import Found, SearchWish
from services.api.ports import AuditLine, StoredAnswer
from shared.contracts.inventory import PROBE_POLICIES, Chat, Host, HostGroup, Maintenance, ProbePolicy, Router, Site
from shared.contracts.message import Contract, Message
from shared.db import Database, Transaction

_AUDIT = [field.name for field in fields(AuditLine)]
ANSWERS_KEPT = timedelta(hours=24)
QUEUE_LOCK = "ronda inventory queue"
_TABLES: dict[str, type[Contract]] = {
    "sites": Site,
    "host_groups": HostGroup,
    "routers": Router,
    "hosts": Host,
    "chats": Chat,
    "maintenances": Maintenance,
}


class PostgresUnit:
    """One transaction."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx
        self.announced: list[tuple[str, str | None]] = []
        self.sites = InventoryTable(tx, "sites", Site)
        self.routers = InventoryTable(tx, "routers", Router)
        self.hosts = InventoryTable(tx, "hosts", Host)
        self.chats = InventoryTable(tx, "chats", Chat)
        self.groups = InventoryTable(tx, "host_groups", HostGroup)
        self.maintenances = InventoryTable(tx, "maintenances", Maintenance)
        self.policies = PolicyTable(tx)
        self.accounts = PostgresAccounts(tx)
        self.people = PostgresPeople(tx)
        self.ingest_tokens = PostgresIngestTokens(tx)
        self.history = PostgresHistory(tx)
        self.alerts = PostgresAlerts(tx)
        self.measured = PostgresMeasured(tx)

    async def publish(self, message: Message) -> None:
        """Say this on the bus after the commit."""
        await self.tx.publish(message)

    async def announce(self, key: str, value: Contract | None) -> None:
        """Put an entry into the bucket after the commit."""
        self.announced.append((key, None if value is None else entry_text(value)))

    async def first_time(self, consumer: str, envelope_id: str) -> bool:
        """Whether this consumer sees this message for the first time."""
        return await self.tx.first_time(consumer, envelope_id)

    async def search(self, wish: SearchWish, limit: int) -> list[Found]:
        """At most `limit` of each kind."""
        return await search_everywhere(self.tx, wish, limit)

    async def audit(self, line: AuditLine) -> None:
        """Keep who did what."""
        await self.tx.execute(insert_sql("audit", _AUDIT), *(getattr(line, name) for name in _AUDIT))

    async def audit_lines(self, wish: PageWish) -> Page[AuditLine]:
        """Newest first."""
        where = Where()
        if wish.after:
            where.add("(at, id) < (?, ?)", datetime.fromisoformat(wish.after[0]), wish.after[1])
        sql = f"select * from audit{where.sql} order by at desc, id desc{where.limit(wish.limit + 1)}"  # noqa: S608
        rows = [AuditLine(**{name: row[name] for name in _AUDIT}) for row in await self.tx.fetch(sql, *where.args)]
        return cut_page(rows, wish, [(line.at.isoformat(), line.id) for line in rows])

    async def recall(self, owner: str, key: str) -> StoredAnswer | None:
        """The answer to an earlier request with this key; a request at the same time waits here for the first."""
        await self.tx.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", f"ronda answer {owner} {key}")
        row = await self.tx.fetchrow(
            "select fingerprint, status, body from answers where owner = $1 and key = $2", owner, key
        )
        return StoredAnswer(**dict(row)) if row else None

    async def remember(self, owner: str, key: str, answer: StoredAnswer, now: datetime) -> None:
        """Keep the answer for a day."""
        await self.tx.execute("delete from answers where at < $1", now - ANSWERS_KEPT)
        columns = ["owner", "key", "fingerprint", "status", "body", "at"]
        values = (owner, key, answer.fingerprint, answer.status, answer.body, now)
        await self.tx.execute(insert_sql("answers", columns), *values)

    async def write_announced(self) -> None:
        """Queue the entries, last in the transaction: the lock makes places grow in the order of commits."""
        if not self.announced:
            return
        await self.tx.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", QUEUE_LOCK)
        await self.tx.execute_many("insert into inventory_queue (key, value) values ($1, $2)", self.announced)


class PostgresStore:
    """Opens units. `on_announce` is called after a commit that queued entries for the bucket."""

    def __init__(self, database: Database, *, on_announce: Callable[[], None]) -> None:
        self._database = database
        self._on_announce = on_announce

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[PostgresUnit]:
        """One transaction: all or nothing."""
        async with self._database.transaction() as tx:
            unit = PostgresUnit(tx)
            yield unit
            await unit.write_announced()
        if unit.announced:
            self._on_announce()


class PostgresInventory:
    """Everything that the bucket must hold."""

    def __init__(self, database: Database, *, time_zone: str) -> None:
        self._database = database
        self._time_zone = time_zone

    async def entries(self) -> dict[str, str]:
        """Key and value of every entry, as of now."""
        found: list[Contract] = [*PROBE_POLICIES.values()]
        async with self._database.transaction() as tx:
            own = await tx.fetch("select policy from policies")
            found += [ProbePolicy.model_validate(row["policy"]) for row in own]  # after what ships: they count
            for table, model in _TABLES.items():
                found += _models(await tx.fetch(f"select * from {table}"), model)  # noqa: S608 - names are ours
            for account in await PostgresAccounts(tx).with_phone():
                person = subscriber_of(account, self._time_zone)
                if person is not None:
                    found.append(person)
        return {entry.key(): entry_text(entry) for entry in found}  # type: ignore[attr-defined]


def entry_text(entry: Contract) -> str:
    """An entry as JSON that is the same in every process: sets have an order here, so that comparing tells changes."""
    plain = entry.model_dump(mode="json")
    for name, value in entry:
        if isinstance(value, frozenset):
            plain[name] = sorted(plain[name])
    return json.dumps(plain, separators=(",", ":"))


def _models(rows: Sequence[Any], model: type[Contract]) -> list[Contract]:
    return [model.model_validate(dict(row)) for row in rows]
