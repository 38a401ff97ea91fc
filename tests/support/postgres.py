"""A real PostgreSQL server for tests: one per session, a fresh and empty database for each test that asks."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from deploy.local.postgres import LocalPostgres, prepare_database

_numbers = itertools.count(1)

# Tests ask for what was committed, not for what survives a power cut.
_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "100"}


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalPostgres]:
    """The session's server. Do not kill this one: tests that do so start their own on `postgres_folder`."""
    server = LocalPostgres(folder_for_postgres(tmp_path_factory.mktemp("postgres")), settings=_FAST)
    with asyncio.Runner() as runner:
        runner.run(server.start())
    yield server
    with asyncio.Runner() as runner:
        runner.run(server.stop())


@pytest.fixture
def postgres_folder(tmp_path: Path) -> Path:
    """A state folder for a server of the test's own."""
    return folder_for_postgres(tmp_path)


def folder_for_postgres(folder: Path) -> Path:
    """The folder, opened to any user: pytest keeps its folders to itself, and root's server is nobody's."""
    if os.geteuid() == 0:
        root = next(step for step in folder.parents if step.name.startswith("pytest-of-"))
        for step in (folder, *folder.parents):
            if step.is_relative_to(root):
                step.chmod(step.stat().st_mode | 0o011)
    return folder


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
