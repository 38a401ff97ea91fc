"""The embedded server: starts on a state folder, survives kills and stale files, keeps data and doors closed."""

import asyncio
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
from pathlib import Path

import asyncpg
import psutil
import pytest

from deploy.local.postgres import LocalPostgres
from deploy.local.postgres import _free_port as free_port
from deploy.local.postgres_home import find_binaries, prepare_home
from shared.db import Database
from shared.errors import Conflict, Misconfigured, Unreachable

SLEEPING = "select count(*) from pg_stat_activity where query ~ '^select pg_sleep'"
AS_SERVER = {"user": "nobody"} if os.geteuid() == 0 else {}
ROOT = Path(__file__).parents[2]


@pytest.fixture
async def server(postgres_folder: Path):
    started = LocalPostgres(postgres_folder)
    await started.start()
    yield started
    await started.stop()


async def run(url: str, statement: str):
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def power_cut(server: LocalPostgres) -> None:
    """Every process of the server at once; after `kill` alone the sessions end a moment later than the server."""
    assert server.pid is not None
    sessions = psutil.Process(server.pid).children()
    server.kill()
    for session in sessions:
        session.kill()


async def until_gone(pid: int) -> None:
    async with asyncio.timeout(15):
        while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_data_passwords_and_port_stay_across_restarts(server: LocalPostgres, postgres_folder: Path):
    await run(server.service_url("api"), "create table api.kept as select 7 as number")
    before = server.service_url("api")
    await server.stop()
    assert server.pid is None
    again = LocalPostgres(postgres_folder)
    await again.start()
    try:
        assert again.service_url("api") == before
        assert await run(before, "select number from api.kept") == 7
    finally:
        await again.stop()


async def test_it_does_not_run_as_root_and_its_files_are_private(server: LocalPostgres, postgres_folder: Path):
    assert server.pid is not None
    assert psutil.Process(server.pid).uids().effective != 0
    assert stat.S_IMODE((postgres_folder / "postgres.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((postgres_folder / "postgres" / "data").stat().st_mode) == 0o700
    assert os.getsid(server.pid) != os.getsid(0), "Ctrl-C goes to the supervisor, which ends its servers last"
    listening = [each for each in psutil.Process(server.pid).net_connections("all") if each.status == "LISTEN"]
    assert [each.laddr for each in listening] == [("127.0.0.1", server.port)]


async def test_a_wrong_password_is_refused_for_every_role(server: LocalPostgres):
    for role in ("ronda_admin", "ronda_api", "ronda_notifier"):
        with pytest.raises(asyncpg.InvalidPasswordError):
            await run(f"postgresql://{role}:wrong@127.0.0.1:{server.port}/ronda", "select 1")


async def test_roles_stay_in_their_schema(server: LocalPostgres):
    await run(server.service_url("notifier"), "create table notifier.own as select 1 as x")
    for statement in (
        "select x from notifier.own",
        "create table notifier.mine (x int)",
        "create table public.mine (x int)",
        "select pg_read_file('postgresql.conf')",
        "create role other",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await run(server.service_url("api"), statement)


async def test_a_killed_server_starts_again_with_its_data(server: LocalPostgres):
    await run(server.service_url("api"), "create table api.kept as select 7 as number")
    server.kill()
    await server.stop()
    await server.start()
    assert await run(server.service_url("api"), "select number from api.kept") == 7


async def test_a_pid_file_that_names_a_living_stranger_is_no_obstacle(server: LocalPostgres, postgres_folder: Path):
    """As after the restart of a container, where process ids begin anew."""
    server.kill()
    await server.stop()
    pid_file = postgres_folder / "postgres" / "data" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    stranger = subprocess.Popen(["sleep", "60"], **AS_SERVER)  # noqa: ASYNC220
    try:
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        await server.start()
        assert stranger.poll() is None, "it is not ours to end"
    finally:
        stranger.kill()
        stranger.wait()


async def test_one_folder_is_held_by_one(server: LocalPostgres, postgres_folder: Path):
    with pytest.raises(Conflict, match="another process"):
        await LocalPostgres(postgres_folder).start()
    assert await run(server.url(), "select 1") == 1


async def test_an_unfinished_initdb_is_begun_anew(postgres_folder: Path):
    home = prepare_home(postgres_folder, find_binaries())
    (home.folder / "unfinished").mkdir()
    (home.folder / "unfinished" / "PG_VERSION").write_text("18")
    server = LocalPostgres(postgres_folder)
    await server.start()
    await server.stop()


async def test_a_port_that_somebody_took_meanwhile_is_replaced(server: LocalPostgres, monkeypatch):
    """Between looking for a free port and listening there, another program may be quicker."""
    await server.stop()
    with socket.create_server(("127.0.0.1", 0)) as quicker:
        taken = quicker.getsockname()[1]
        answers = iter([taken])
        monkeypatch.setattr("deploy.local.postgres._free_port", lambda kept: next(answers, None) or free_port(0))
        await server.start()
    assert server.port != taken
    assert await run(server.service_url("api"), "select 1") == 1


async def test_a_wanted_port_in_use_is_an_error(postgres_folder: Path):
    with socket.create_server(("127.0.0.1", 0)) as quicker:
        server = LocalPostgres(postgres_folder, port=quicker.getsockname()[1])
        with pytest.raises(Misconfigured, match="could not bind"):
            await server.start()


async def test_a_server_that_cannot_start_says_why(postgres_folder: Path):
    before = psutil.Process().children()  # servers that other tests of this worker share
    with pytest.raises(Misconfigured, match="shared_buffers"):
        await LocalPostgres(postgres_folder, settings={"shared_buffers": "nonsense"}).start()
    assert psutil.Process().children() == before


STARTER = """
import asyncio, json, sys
from pathlib import Path
from deploy.local.postgres import LocalPostgres
from deploy.local.postgres import _free_port as free_port
async def main():
    server = LocalPostgres(Path(sys.argv[1]))
    await server.start()
    print(json.dumps([server.pid, server.service_url("api")]), flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


def started_elsewhere(folder: Path) -> tuple[subprocess.Popen, int, str]:
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(folder)], stdout=subprocess.PIPE, cwd=ROOT, env={**os.environ}
    )
    assert starter.stdout is not None
    pid, url = json.loads(starter.stdout.readline())
    return starter, pid, url


async def test_it_ends_when_its_starter_is_killed(postgres_folder: Path):
    starter, pid, url = started_elsewhere(postgres_folder)
    await run(url, "create table api.kept as select 7 as number")
    starter.kill()
    starter.communicate()
    await until_gone(pid)
    server = LocalPostgres(postgres_folder)
    await server.start()
    try:
        assert await run(url, "select number from api.kept") == 7
    finally:
        await server.stop()


async def test_a_server_left_over_is_ended_before_the_next_starts(server: LocalPostgres, postgres_folder: Path):
    """Where the kernel cannot tell the server that its starter is gone, it lives on."""
    left = server._server
    assert left is not None
    server._server = None
    await server.stop()
    again = LocalPostgres(postgres_folder)
    await asyncio.gather(again.start(), asyncio.to_thread(left.wait))
    try:
        assert again.pid not in (None, left.pid)
    finally:
        await again.stop()


async def test_the_pool_comes_back_after_the_server_was_killed(server: LocalPostgres):
    async with Database.connect(server.service_url("api"), schema="api", source="test", pool_size=2) as database:
        await asyncio.gather(database.fetchval("select 1"), database.fetchval("select 2"))
        waiting = asyncio.create_task(database.fetchval("select pg_sleep(60)"))
        async with asyncio.timeout(10):
            while not await database.fetchval(SLEEPING):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        power_cut(server)
        with pytest.raises(Unreachable):
            await waiting
        with pytest.raises(Unreachable):
            await database.fetchval("select 1")
        with pytest.raises(Unreachable):
            async with database.transaction() as tx:
                await tx.execute("select 1")
        await server.stop()
        await server.start()
        assert await asyncio.gather(database.fetchval("select 1"), database.fetchval("select 2")) == [1, 2]


async def test_a_transaction_cut_by_a_kill_is_unreachable_and_leaves_nothing(server: LocalPostgres):
    async with Database.connect(server.service_url("api"), schema="api", source="test") as database:
        await database.execute("create table thing (id int)")
        with pytest.raises(Unreachable):  # noqa: PT012
            async with database.transaction() as tx:
                await tx.execute("insert into thing values (1)")
                power_cut(server)
                await tx.execute("insert into thing values (2)")
        await server.stop()
        await server.start()
        assert await database.fetchval("select count(*) from thing") == 0


@pytest.mark.needs_root
async def test_root_below_a_closed_folder_keeps_the_files_where_the_server_can_read(
    postgres_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    """As in /root/ronda with its .venv: neither the state folder nor the program can be entered by `nobody`."""
    closed = postgres_folder / "closed"
    closed.mkdir(mode=0o700)
    system = postgres_folder / "system"
    system.mkdir()
    monkeypatch.setattr("deploy.local.postgres_home._SYSTEM_STATE", system)
    installed = find_binaries().parent
    package = installed.parent
    shutil.copytree(installed, closed / package.name / installed.name)
    shutil.copytree(package.with_name(f"{package.name}.libs"), closed / f"{package.name}.libs")
    monkeypatch.setenv("RONDA_POSTGRES_BIN", str(closed / package.name / installed.name / "bin"))
    server = LocalPostgres(closed / "state")
    await server.start()
    try:
        assert await run(server.service_url("api"), "select 1") == 1
        assert (closed / "state" / "postgres").resolve().parent == system.resolve()
        assert server.pid is not None
        assert str(psutil.Process(server.pid).exe()).startswith(str(system.resolve()))
    finally:
        await server.stop()
