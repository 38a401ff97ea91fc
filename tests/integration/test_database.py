"""Transactions, deadlines and the border to asyncpg, on a real server."""

import asyncio

import asyncpg
import pytest

from shared.db import Database
from shared.errors import Busy, Conflict, DeadlineExceeded, Invalid, Misconfigured, NotAllowed, Unreachable


@pytest.fixture
async def database(database_url: str):
    async with Database.connect(database_url, schema="api", source="/ronda/api", pool_size=3, timeout_s=5) as opened:
        await opened.execute("create table thing (id int primary key, name text check (name <> ''), extra jsonb)")
        yield opened


async def test_what_is_committed_stays(database: Database):
    async with database.transaction() as tx:
        await tx.execute("insert into thing values (1, 'a', $1)", {"x": [1, 2]})
    row = await database.fetchrow("select * from thing")
    assert row is not None
    assert dict(row) == {"id": 1, "name": "a", "extra": {"x": [1, 2]}}


async def test_an_error_inside_undoes_everything_and_gets_out_as_it_is(database: Database):
    with pytest.raises(ConnectionResetError, match="not the database"):  # noqa: PT012
        async with database.transaction() as tx:
            await tx.execute("insert into thing values (1, 'a')")
            raise ConnectionResetError("not the database")
    assert await database.fetch("select * from thing") == []


async def test_a_savepoint_fails_alone(database: Database):
    async with database.transaction() as tx:
        await tx.execute("insert into thing values (1, 'a')")
        with pytest.raises(Conflict):  # noqa: PT012
            async with tx.savepoint():
                await tx.execute("insert into thing values (2, 'b')")
                await tx.execute("insert into thing values (1, 'again')")
        await tx.execute("insert into thing values (3, 'c')")
    assert await database.fetchval("select array_agg(id order by id) from thing") == [1, 3]


async def test_errors_are_ours_and_hold_no_values(database: Database):
    await database.execute("insert into thing values (17, 'rahasia')")
    with pytest.raises(Conflict, match="thing_pkey") as taken:
        await database.execute("insert into thing values (17, 'rahasia')")
    assert "17" not in str(taken.value)
    with pytest.raises(Invalid, match="thing_name_check"):
        await database.execute("insert into thing values (18, '')")
    with pytest.raises(Invalid):
        await database.fetchval("select 'abc'::text::int")
    with pytest.raises(asyncpg.UndefinedTableError):
        await database.fetch("select * from absent")


async def test_a_late_answer_is_an_error(database_url: str):
    async with Database.connect(database_url, schema="api", source="test", timeout_s=0.3) as database:
        with pytest.raises(DeadlineExceeded):
            await database.fetchval("select pg_sleep(60)")
        assert await database.fetchval("select 1") == 1


async def test_a_pool_in_use_is_busy(database_url: str):
    async with Database.connect(database_url, schema="api", source="test", timeout_s=0.3, pool_size=1) as database:
        async with database.transaction():
            with pytest.raises(Busy):
                await database.fetchval("select 1")
        assert await database.fetchval("select 1") == 1


async def test_two_transactions_on_one_row_deadlock_into_busy(database: Database):
    await database.execute("insert into thing values (1, 'a'), (2, 'b')")
    first_has_one, second_has_two = asyncio.Event(), asyncio.Event()

    async def update(first: int, second: int, mine: asyncio.Event, other: asyncio.Event) -> None:
        async with database.transaction() as tx:
            await tx.execute("update thing set name = 'x' where id = $1", first)
            mine.set()
            await other.wait()
            await tx.execute("update thing set name = 'x' where id = $1", second)

    results = await asyncio.gather(
        update(1, 2, first_has_one, second_has_two),
        update(2, 1, second_has_two, first_has_one),
        return_exceptions=True,
    )
    assert sorted(type(result) for result in results if result is not None) == [Busy]


async def test_copy_appends_rows(database: Database):
    await database.copy("thing", [(1, "a"), (2, "b")], ["id", "name"])
    assert await database.fetchval("select count(*) from thing") == 2


async def test_nobody_reads_another_ones_schema(database: Database, notifier_database_url: str):
    async with Database.connect(notifier_database_url, schema="notifier", source="test") as other:
        await other.execute("create table own (id int)")
        for statement in (
            "select * from api.thing",
            "create table api.mine (id int)",
            "create table public.x (id int)",
        ):
            with pytest.raises(NotAllowed):
                await other.execute(statement)


async def test_wrong_password_and_wrong_database_do_not_wait(database_url: str):
    with pytest.raises(NotAllowed):
        async with Database.connect(database_url.replace("ronda_api:", "ronda_api:x"), schema="api", source="t"):
            pass
    absent = database_url.rpartition("/")[0] + "/absent"
    with pytest.raises(Misconfigured):
        async with Database.connect(absent, schema="api", source="t"):
            pass


@pytest.mark.parametrize("url", ["", "mysql://a@b/c", "postgresql://h:port/x"])
async def test_a_wrong_address_is_misconfigured(url: str):
    with pytest.raises(Misconfigured):
        async with Database.connect(url, schema="api", source="t", wait_s=0):
            pass


async def test_nobody_there_is_unreachable(unused_tcp_port: int):
    address = f"postgresql://a:b@127.0.0.1:{unused_tcp_port}/x"
    with pytest.raises(Unreachable):
        async with Database.connect(address, schema="api", source="t", wait_s=0.1):
            pass
