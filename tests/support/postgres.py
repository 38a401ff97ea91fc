"""A real PostgreSQL server for tests: one per session, a fresh and empty database for each test that asks."""

import asyncio
import itertools
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from deploy.local.postgres import LocalPostgres, prepare_database

_numbers = itertools.count(1)

# Tests ask for what was committed, not for what survives a power cut.
_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "100"}


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[LocalPostgres]:
    """The session's server. Do not kill this one: tests that do so start their own on `postgres_folder`."""
    with open_folder() as folder:
        server = LocalPostgres(folder, settings=_FAST)
        with asyncio.Runner() as runner:
            runner.run(server.start())
        yield server
        with asyncio.Runner() as runner:
            runner.run(server.stop())


@pytest.fixture
def postgres_folder() -> Iterator[Path]:
    """A state folder for a server of the test's own."""
    with open_folder() as folder:
        yield folder


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that any user may enter, for root's server runs as `nobody`. pytest closes its own to others, time and
    again, whenever another run begins."""
    with tempfile.TemporaryDirectory(prefix="ronda-postgres-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
async def database_admin_url(postgres_server: LocalPostgres) -> AsyncIterator[str]:
    """A fresh database, as its administrator; schemas `api` and `notifier` are there, owned by their roles."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    await _as_admin(postgres_server, f"create database {name} strategy file_copy")
    await prepare_database(postgres_server.url(database=name))
    yield postgres_server.url(database=name)
    await _as_admin(postgres_server, f"drop database {name} with (force)")


@pytest.fixture
def database_url(postgres_server: LocalPostgres, database_admin_url: str) -> str:
    """A fresh database as the api's role, which owns schema `api`."""
    return postgres_server.url("ronda_api", database_admin_url.rpartition("/")[2])


@pytest.fixture
def notifier_database_url(postgres_server: LocalPostgres, database_admin_url: str) -> str:
    """The same test's database as the notifier's role, which owns schema `notifier`."""
    return postgres_server.url("ronda_notifier", database_admin_url.rpartition("/")[2])


async def _as_admin(server: LocalPostgres, statement: str) -> None:
    connection = await asyncpg.connect(server.url(database="postgres"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
