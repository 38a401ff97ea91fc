"""Migrations go forward on empty and filled databases, once, and say clearly what is wrong."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from shared.db import Database, migrate
from shared.errors import DeadlineExceeded, Misconfigured

HOSTS = "create table host (id int primary key, name text not null);"
GRADES = "alter table host add column grade text; update host set grade = 'good';"


@pytest.fixture
async def database(database_url: str):
    async with Database.connect(database_url, schema="api", source="test") as opened:
        yield opened


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_hosts.sql").write_text(HOSTS)
    return folder


async def test_empty_database_gets_everything_once(database: Database, files: Path):
    assert await migrate(database, files) == ["shared/0001_outbox_and_inbox.sql", "service/0001_hosts.sql"]
    assert await migrate(database, files) == []
    assert await database.fetchval("select count(*) from outbox") == 0


async def test_filled_database_keeps_its_rows(database: Database, files: Path):
    await migrate(database, files)
    await database.execute("insert into host values (1, 'gate')")
    (files / "0002_grades.sql").write_text(GRADES)
    assert await migrate(database, files) == ["service/0002_grades.sql"]
    row = await database.fetchrow("select * from host")
    assert row is not None
    assert dict(row) == {"id": 1, "name": "gate", "grade": "good"}


async def test_a_changed_file_stops_the_start(database: Database, files: Path):
    await migrate(database, files)
    (files / "0001_hosts.sql").write_text(HOSTS + " ")
    with pytest.raises(Misconfigured, match=r"service/0001_hosts\.sql is not the file that was applied"):
        await migrate(database, files)


async def test_an_older_program_stops(database: Database, files: Path):
    (files / "0002_grades.sql").write_text(GRADES)
    await migrate(database, files)
    (files / "0002_grades.sql").unlink()
    with pytest.raises(Misconfigured, match=r"0002_grades\.sql, this program does not"):
        await migrate(database, files)


async def test_a_failing_file_leaves_nothing_behind(database: Database, files: Path):
    (files / "0002_broken.sql").write_text("create table left_over (id int); select * from absent;")
    with pytest.raises(asyncpg.UndefinedTableError):
        await migrate(database, files)
    assert await database.fetchval("select to_regclass('left_over')") is None
    (files / "0002_broken.sql").write_text("create table repaired (id int);")
    assert await migrate(database, files) == ["service/0002_broken.sql"]


async def test_without_transaction_half_applied_is_told(database: Database, files: Path):
    path = files / "0002_index.sql"
    path.write_text("-- no transaction\ncreate index concurrently a on host (name);\nselect * from absent;\n")
    with pytest.raises(asyncpg.UndefinedTableError):
        await migrate(database, files)
    with pytest.raises(Misconfigured, match=r"0002_index\.sql stopped in the middle"):
        await migrate(database, files)
    await database.execute("delete from migrations where number = 2 and origin = 'service'")
    path.write_text("-- no transaction\ncreate index concurrently if not exists a on host (name);\n")
    assert await migrate(database, files) == ["service/0002_index.sql"]
    assert await database.fetchval("select to_regclass('a')") is not None


async def test_several_at_once_take_turns(database_url: str, files: Path):
    (files / "0002_slow.sql").write_text("select pg_sleep(0.2); create table slow (id int);")

    async def start() -> list[str]:
        async with Database.connect(database_url, schema="api", source="test") as database:
            return await migrate(database, files)

    applied = await asyncio.gather(*(start() for _ in range(4)))
    assert sorted(map(len, applied)) == [0, 0, 0, 3]


async def test_waiting_for_another_one_has_an_end(database: Database, files: Path):
    async with database.own_connection() as holder:
        await holder.execute("select pg_advisory_lock(hashtextextended('ronda migrations api', 0))")
        with pytest.raises(DeadlineExceeded, match="another process"):
            await migrate(database, files, wait_s=0.2)
    await migrate(database, files)


@pytest.mark.parametrize("name", ["1_hosts.sql", "0003_gap.sql", "0001_twice.sql", "0002-dash.sql"])
async def test_misnamed_files_are_refused_before_anything_runs(database: Database, files: Path, name: str):
    (files / name).write_text("select 1;")
    with pytest.raises(Misconfigured):
        await migrate(database, files)
    assert await database.fetchval("select to_regclass('host')") is None


async def test_a_schema_that_is_absent_is_made(database_admin_url: str, files: Path):
    async with Database.connect(database_admin_url, schema="fresh", source="test") as database:
        await migrate(database, files)
        assert await database.fetchval("select to_regclass('fresh.host')") is not None
