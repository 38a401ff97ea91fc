"""The pool of connections. It reconnects by itself; while the server is away every call raises Unreachable at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import structlog
from pydantic import SecretStr

from shared.clock import Clock, SystemClock
from shared.db.faults import CONNECTION_GONE, translated
from shared.db.identifiers import checked_schema
from shared.db.transaction import Transaction
from shared.errors import Busy, DeadlineExceeded, Misconfigured, Temporary, Unreachable

log = structlog.get_logger(__name__)

Record = asyncpg.Record

_CLOSE_S = 5.0  # then connections are cut: shutdown as a whole has 10 s
_STARTUP_RETRY_S = 0.2
_IDLE_S = 60.0  # a connection that a burst opened costs the server 5 MB until then; asyncpg would keep it 5 minutes
_NO_DEADLINES = {"statement_timeout": "0", "idle_in_transaction_session_timeout": "0"}


class Database:
    """One service's own schema in PostgreSQL. Made by `Database.connect`."""

    def __init__(
        self,
        pool: asyncpg.Pool[Record],
        *,
        url: str,
        schema: str,
        source: str,
        clock: Clock,
        timeout_s: float,
    ) -> None:
        self._pool = pool
        self._url = url
        self._clock = clock
        self._timeout_s = timeout_s
        self._on_publish: list[Callable[[], None]] = []
        self.schema = schema
        self.source = source

    @classmethod
    @asynccontextmanager
    async def connect(
        cls,
        url: str | SecretStr,
        *,
        schema: str,
        source: str,
        clock: Clock | None = None,
        pool_size: int = 8,
        timeout_s: float = 10.0,
        wait_s: float = 30.0,
    ) -> AsyncIterator[Database]:
        """Open the pool, waiting up to `wait_s` seconds for a server that is still starting.

        `schema` is where unqualified names live, `source` the CloudEvents source of what is published, `timeout_s` the
        deadline of every statement and of every wait for a free connection. Raises Unreachable, NotAllowed or
        Misconfigured.
        """
        address = url.get_secret_value() if isinstance(url, SecretStr) else url
        pool = _pool(address, checked_schema(schema), source, pool_size, timeout_s)
        database = cls(
            pool,
            url=address,
            schema=schema,
            source=source,
            clock=clock or SystemClock(),
            timeout_s=timeout_s,
        )
        try:
            await pool  # opens no connection yet: min_size is 0
            await database._wait_until_up(wait_s)
            yield database
        finally:
            await _close(pool)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """All or nothing, messages included. Raises Unreachable, Busy, DeadlineExceeded, Conflict or Invalid."""
        async with self._connection() as connection:
            async with _begun(connection):
                unit = Transaction(connection, schema=self.schema, source=self.source, clock=self._clock)
                yield unit
                await unit.write_outbox()
            if unit.has_published:
                for wake in self._on_publish:
                    wake()

    async def fetch(self, query: str, *args: Any) -> list[Record]:
        """All rows, in a transaction of its own."""
        async with self._connection() as connection:
            with translated():
                return await connection.fetch(query, *args)

    async def fetchrow(self, query: str, *args: Any) -> Record | None:
        """The first row."""
        async with self._connection() as connection:
            with translated():
                return await connection.fetchrow(query, *args)

    async def fetchval(self, query: str, *args: Any) -> Any:
        """The first column of the first row."""
        async with self._connection() as connection:
            with translated():
                return await connection.fetchval(query, *args)

    async def execute(self, query: str, *args: Any) -> str:
        """Run one statement; answers PostgreSQL's command tag."""
        async with self._connection() as connection:
            with translated():
                return await connection.execute(query, *args)

    async def copy(self, table: str, rows: Iterable[Sequence[Any]], columns: Sequence[str]) -> None:
        """Append many rows to a table of this schema with COPY, the fastest way in."""
        async with self._connection() as connection:
            with translated():
                await connection.copy_records_to_table(
                    table, schema_name=self.schema, records=rows, columns=list(columns), timeout=self._timeout_s
                )

    async def check(self) -> None:
        """Raises Unreachable (or another error) unless the server answers now: a readiness check."""
        await self.fetchval("select 1")

    def on_publish(self, wake: Callable[[], None]) -> None:
        """Call `wake` after every commit that left a message in the outbox."""
        self._on_publish.append(wake)

    @asynccontextmanager
    async def own_connection(self) -> AsyncIterator[asyncpg.Connection[Record]]:
        """A connection outside of the pool and without deadlines, for what lasts: LISTEN, a long lock, a migration.

        asyncpg's errors pass as they are: wrap the use in `translated()`.
        """
        settings = {**_server_settings(self.schema, f"{self.source} (own)", self._timeout_s), **_NO_DEADLINES}
        with translated():
            connection = await asyncpg.connect(self._url, timeout=self._timeout_s, server_settings=settings)
        try:
            yield connection
        finally:
            await _close_quietly(connection)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[asyncpg.Connection[Record]]:
        try:
            with translated():
                connection = await self._pool.acquire(timeout=self._timeout_s)
        except DeadlineExceeded as late:
            if self._pool.get_size() >= self._pool.get_max_size():
                raise Busy("every connection to the database is in use") from late
            raise Unreachable("the database does not answer (no connection in time)") from late
        try:
            yield connection  # type: ignore[misc]  # the stub says a proxy, which behaves as the connection
        finally:
            await _release(self._pool, connection)

    async def _wait_until_up(self, wait_s: float) -> None:
        deadline = self._clock.monotonic() + wait_s
        told = False
        while True:
            try:
                return await self.check()
            except Temporary as error:
                if self._clock.monotonic() >= deadline:
                    raise
                if not told:
                    log.info("waiting for the database", reason=str(error))
                told = True
            await asyncio.sleep(_STARTUP_RETRY_S)


def _pool(url: str, schema: str, source: str, size: int, timeout_s: float) -> asyncpg.Pool[Record]:
    _check_address(url)
    return asyncpg.create_pool(
        url,
        min_size=0,
        max_size=size,
        max_inactive_connection_lifetime=_IDLE_S,
        timeout=timeout_s,
        command_timeout=timeout_s,
        init=_teach_json,
        server_settings=_server_settings(schema, source, timeout_s),
    )


def _check_address(url: str) -> None:
    """asyncpg fills what an address leaves out from the environment and the user's files: ours say everything."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("postgresql", "postgres") and parts.port != 0
        complete = known and bool(parts.hostname) and bool(parts.path.strip("/"))
    except ValueError:
        complete = False
    if not complete:
        raise Misconfigured("the database address is not postgresql://user:password@host:port/name")


def _server_settings(schema: str, source: str, timeout_s: float) -> dict[str, str]:
    milliseconds = round(timeout_s * 1000)
    return {
        "search_path": schema,
        "application_name": source[:63],
        "timezone": "UTC",
        "statement_timeout": str(milliseconds),
        "idle_in_transaction_session_timeout": str(3 * milliseconds),
    }


async def _teach_json(connection: asyncpg.Connection[Record]) -> None:
    """json and jsonb columns are Python values."""
    for name in ("json", "jsonb"):
        await connection.set_type_codec(name, schema="pg_catalog", encoder=json.dumps, decoder=json.loads)


@asynccontextmanager
async def _begun(connection: asyncpg.Connection[Record]) -> AsyncIterator[None]:
    """BEGIN … COMMIT, or ROLLBACK when the body raises; the body's own error is the one that gets out."""
    transaction = connection.transaction()
    with translated():
        await transaction.start()
    try:
        yield
    except BaseException:
        with suppress(*CONNECTION_GONE):
            await transaction.rollback()
        raise
    with translated():
        await transaction.commit()


async def _release(pool: asyncpg.Pool[Record], connection: Any) -> None:
    """Give a connection back; one that broke meanwhile is dropped, which must not hide the error that broke it."""
    with suppress(*CONNECTION_GONE):
        await pool.release(connection, timeout=_CLOSE_S)


async def _close_quietly(connection: asyncpg.Connection[Record]) -> None:
    try:
        await connection.close(timeout=1.0)
    except CONNECTION_GONE:
        connection.terminate()


async def _close(pool: asyncpg.Pool[Record]) -> None:
    try:
        async with asyncio.timeout(_CLOSE_S):
            await pool.close()
    except CONNECTION_GONE:
        pool.terminate()
