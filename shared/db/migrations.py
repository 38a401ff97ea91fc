"""Migrations: numbered SQL files, forward only, each in one transaction with the row that records it.

`0001_hosts.sql`, `0002_accounts.sql` … in the service's own folder; the tables of `shared/db` itself come first. A file
never changes once it was released: its checksum is recorded, and a difference stops the start with a clear sentence.
Services that start at once take turns by an advisory lock. A file whose first line is `-- no transaction` runs
statement by statement (`create index concurrently`); if it stops in the middle, the next start says so and does
nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import structlog

from shared.db.faults import translated
from shared.db.identifiers import checked_schema
from shared.db.pool import Database
from shared.errors import DeadlineExceeded, Misconfigured

log = structlog.get_logger(__name__)

_OWN = Path(__file__).parent / "sql"
_FILE = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_NO_TRANSACTION = "-- no transaction"
_LOCK_POLL_S = 0.05  # polled and not awaited: a waiting statement holds a snapshot, which blocks concurrent indexes

_RECORDS = """
    create table if not exists migrations (
        origin      text        not null,
        number      integer     not null,
        name        text        not null,
        checksum    text        not null,
        started_at  timestamptz not null default clock_timestamp(),
        finished_at timestamptz,
        primary key (origin, number)
    )
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file. `origin` tells the files of `shared/db` from the service's."""

    origin: str
    number: int
    name: str
    sql: str

    @property
    def label(self) -> str:
        return f"{self.origin}/{self.number:04}_{self.name}.sql"

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def in_transaction(self) -> bool:
        return not self.sql.startswith(_NO_TRANSACTION)


async def migrate(database: Database, directory: Path, *, wait_s: float = 60.0) -> list[str]:
    """Bring the database's schema to the newest version; answers the labels of what was applied now.

    Raises Misconfigured if files and records disagree, DeadlineExceeded if another process migrates for more than
    `wait_s` seconds, and PostgreSQL's own error if a file is wrong (nothing of that file then remains).
    """
    wanted = [*read_migrations(_OWN, "shared"), *read_migrations(directory, "service")]
    schema = checked_schema(database.schema)
    async with database.own_connection() as connection:
        with translated():
            async with _turn(connection, schema, wait_s):
                await _make_schema(connection, schema)
                await connection.execute(_RECORDS)
                pending = _pending(wanted, await connection.fetch("select * from migrations"))
                for migration in pending:
                    await _apply(connection, migration)
                    log.info("migrated", schema=schema, migration=migration.label)
    return [migration.label for migration in pending]


def read_migrations(directory: Path, origin: str) -> list[Migration]:
    """The files of a folder in order. Raises Misconfigured for a misnamed one or for gaps in the numbers."""
    found: list[Migration] = []
    for path in sorted(directory.glob("*.sql")):
        named = _FILE.fullmatch(path.name)
        if not named:
            raise Misconfigured(f"{path.name} is not named like 0001_hosts.sql")
        found.append(Migration(origin, int(named[1]), named[2], path.read_text(encoding="utf-8")))
    numbers = [migration.number for migration in found]
    if numbers != list(range(1, len(found) + 1)):
        raise Misconfigured(f"the migrations of {origin} are not numbered 1, 2, 3 …: {numbers}")
    return found


def _pending(wanted: list[Migration], records: list[asyncpg.Record]) -> list[Migration]:
    """What is not applied yet. Raises Misconfigured where files and records disagree."""
    files = {(migration.origin, migration.number): migration for migration in wanted}
    for record in records:
        migration = files.get((record["origin"], record["number"]))
        if migration is None:
            label = f"{record['origin']}/{record['number']:04}_{record['name']}.sql"
            raise Misconfigured(f"the database has migration {label}, this program does not: it is older than its data")
        if record["finished_at"] is None:
            raise Misconfigured(
                f"migration {migration.label} stopped in the middle: finish or undo its statements by hand, then set "
                "finished_at in the table migrations, or delete the row to run it again"
            )
        if record["checksum"] != migration.checksum:
            raise Misconfigured(f"migration {migration.label} is not the file that was applied: restore it")
    applied = {(record["origin"], record["number"]) for record in records}
    return [migration for migration in wanted if (migration.origin, migration.number) not in applied]


async def _apply(connection: asyncpg.Connection[Any], migration: Migration) -> None:
    if migration.in_transaction:
        async with connection.transaction():
            await connection.execute(migration.sql)
            await _record(connection, migration)
            await _finish(connection, migration)
        return
    await _record(connection, migration)
    for statement in _statements(migration.sql):
        await connection.execute(statement)
    await _finish(connection, migration)


async def _record(connection: asyncpg.Connection[Any], migration: Migration) -> None:
    await connection.execute(
        "insert into migrations (origin, number, name, checksum) values ($1, $2, $3, $4)",
        migration.origin,
        migration.number,
        migration.name,
        migration.checksum,
    )


async def _finish(connection: asyncpg.Connection[Any], migration: Migration) -> None:
    await connection.execute(
        "update migrations set finished_at = clock_timestamp() where origin = $1 and number = $2",
        migration.origin,
        migration.number,
    )


def _statements(sql: str) -> list[str]:
    """The statements of a file without transaction: several in one call would be one. They end with `;` at line end."""
    return [statement for statement in re.split(r";[ \t]*$", sql, flags=re.MULTILINE) if statement.strip()]


async def _make_schema(connection: asyncpg.Connection[Any], schema: str) -> None:
    """Looked for first: a role may own its schema without the right to make one."""
    if not await connection.fetchval("select exists (select from pg_namespace where nspname = $1)", schema):
        await connection.execute(f"create schema {schema}")


@asynccontextmanager
async def _turn(connection: asyncpg.Connection[Any], schema: str, wait_s: float) -> AsyncIterator[None]:
    """Hold the lock of the schema's migrations."""
    name = f"ronda migrations {schema}"
    try:
        async with asyncio.timeout(wait_s):
            while not await connection.fetchval("select pg_try_advisory_lock(hashtextextended($1, 0))", name):  # noqa: ASYNC110
                await asyncio.sleep(_LOCK_POLL_S)
    except TimeoutError as late:
        raise DeadlineExceeded(f"another process has been migrating schema {schema} for {wait_s:g} s") from late
    yield  # the lock goes with the connection
