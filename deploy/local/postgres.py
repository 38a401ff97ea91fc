"""PostgreSQL from a wheel, on a state folder: one command starts it and nothing has to be installed.

Listens on 127.0.0.1 only, with scram passwords that are made at the first start and kept in the state folder; there is
no other way in. Database `ronda` has one role per service, `ronda_api` and `ronda_notifier`, which owns its schema and
sees no other. Started by root, the server runs as an unprivileged user, since PostgreSQL refuses to run as root. It
survives SIGKILL of itself and of its starter, and memory settings are small: this serves one machine, and a large
installation brings a server of its own (RONDA_DATABASE_URL). Why this wheel:
docs/decisions/0002-embedded-postgresql.md.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import asyncpg
import structlog

from deploy.local.postgres_home import Home, find_binaries, prepare_home
from shared.errors import Conflict, DeadlineExceeded, Misconfigured

log = structlog.get_logger(__name__)

ADMIN = "ronda_admin"
DATABASE = "ronda"
SCHEMA_OWNERS = {"api": "ronda_api", "notifier": "ronda_notifier"}

_START_S = 60.0  # recovery after a crash may have to replay a checkpoint's worth of log
_STOP_S = 10.0
_POLL_S = 0.01
_AGAIN_S = 0.1
_PORT_TAKEN = "could not bind"
_OLD_PARTS_LEFT = "pre-existing shared memory block"
_LOG_LIMIT = 10_000_000

# A machine of the smallest kind runs all of Ronda: 500 MB at rest, PostgreSQL's part of that about 30.
_SERVER_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "40",
    "superuser_reserved_connections": "3",
    "shared_buffers": "16MB",
    "work_mem": "4MB",
    "maintenance_work_mem": "32MB",
    "max_wal_size": "256MB",
    "min_wal_size": "48MB",
    "max_worker_processes": "2",
    "max_parallel_workers": "0",
    "max_parallel_workers_per_gather": "0",
    "max_wal_senders": "0",
    "wal_level": "minimal",
    "autovacuum_max_workers": "1",
    "jit": "off",
    "io_method": "sync",  # worker processes would cost memory that a small installation does not earn back
    "dynamic_shared_memory_type": "mmap",  # /dev/shm is small or absent in containers
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who may come in, and at which port; kept in `postgres.json`, readable by its owner only."""

    port: int
    passwords: dict[str, str] = field(repr=False)


class LocalPostgres:
    """One embedded server. `start` and `stop` may be called again; one process at a time may hold a state folder."""

    def __init__(self, state: Path, *, port: int | None = None, settings: dict[str, str] | None = None) -> None:
        """`state`: folder that keeps everything. `port`: None takes the last one used, or a free one."""
        self._state = state.resolve()
        self._wanted_port = port
        self._settings = {**_SERVER_SETTINGS, **(settings or {})}
        self._home: Home | None = None
        self._credentials: Credentials | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._lock: IO[str] | None = None
        self._log_start = 0

    async def start(self) -> None:
        """Make the database where there is none, start the server, wait until it answers, make roles and schemas.

        Raises Conflict if another process holds the folder, Misconfigured if it cannot run here (with its own words),
        DeadlineExceeded if it does not come up. Call it from the thread that lives as long as the server shall.
        """
        self._state.mkdir(parents=True, exist_ok=True)
        self._take_lock()
        try:
            self._home = prepare_home(self._state, find_binaries())
            self._credentials = self._read_or_make_credentials()
            if not (self._home.data / "PG_VERSION").exists():
                self._make_cluster()
            await self._make_way()
            await self._launch_until_up()
            await self._make_roles()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop cleanly: clients are cut, data is flushed; killed if it takes more than 10 s."""
        server, self._server = self._server, None
        if server is not None and server.poll() is None:
            server.send_signal(signal.SIGINT)  # "fast": rolls back what is open
            if not await _ended(server, _STOP_S):
                log.warning("postgresql does not stop, killing it", pid=server.pid)
                server.kill()
                await _ended(server, _STOP_S)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def kill(self) -> None:
        """End the server like a power cut. For tests; `start` afterwards recovers."""
        if self._server is not None:
            self._server.kill()
            self._server.wait()

    @property
    def pid(self) -> int | None:
        """The server's process, None while it does not run."""
        return self._server.pid if self._server is not None and self._server.poll() is None else None

    @property
    def port(self) -> int:
        """Where it listens on 127.0.0.1."""
        return self._known().port

    def url(self, role: str = ADMIN, database: str = DATABASE) -> str:
        """An address with password. Never log it."""
        return f"postgresql://{role}:{self._known().passwords[role]}@127.0.0.1:{self.port}/{database}"

    def service_url(self, schema: str) -> str:
        """The address for the service that owns a schema: `api` or `notifier`."""
        return self.url(SCHEMA_OWNERS[schema])

    def _known(self) -> Credentials:
        if self._credentials is None:
            raise Misconfigured("the embedded PostgreSQL has not been started")
        return self._credentials

    def _there(self) -> Home:
        if self._home is None:
            raise Misconfigured("the embedded PostgreSQL has not been started")
        return self._home

    def _take_lock(self) -> None:
        lock = (self._state / "postgres.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as held:
            lock.close()
            raise Conflict(f"another process runs PostgreSQL on {self._state}") from held
        self._lock = lock

    def _read_or_make_credentials(self) -> Credentials:
        path = self._state / "postgres.json"
        kept: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        roles = (ADMIN, *SCHEMA_OWNERS.values())
        passwords = {role: kept.get("passwords", {}).get(role) or secrets.token_urlsafe(24) for role in roles}
        credentials = Credentials(self._wanted_port or _free_port(kept.get("port", 0)), passwords)
        _write_private(path, json.dumps({"port": credentials.port, "passwords": passwords}))
        return credentials

    def _make_cluster(self) -> None:
        """Run initdb beside the final place and move it there when it is whole."""
        home = self._there()
        password = home.folder / "password"
        unfinished = home.folder / "unfinished"
        home.remove(unfinished)
        _write_private(password, self._known().passwords[ADMIN] + "\n")
        home.give(password)
        options = ["-U", ADMIN, f"--pwfile={password}", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync"]
        try:
            made = subprocess.run(  # noqa: S603 — our own binary and arguments
                home.as_user([str(home.binaries / "initdb"), "-D", str(unfinished), *options]),
                capture_output=True,
                text=True,
                env=_ENVIRONMENT,
                cwd=home.folder,
                check=False,
            )
        finally:
            password.unlink()
        if made.returncode != 0:
            raise Misconfigured(f"PostgreSQL cannot make its files in {home.folder}: {made.stderr.strip()}")
        unfinished.rename(home.data)

    def _launch(self) -> None:
        home = self._there()
        settings = {**self._settings, "port": str(self.port)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(home.binaries / "postgres"), "-D", str(home.data), *options]
        with self._log_file() as output:
            self._server = subprocess.Popen(  # noqa: S603
                home.as_user(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=_ENVIRONMENT,
                cwd=home.folder,
                start_new_session=True,  # Ctrl-C is for the supervisor, which stops its servers last
            )

    @contextmanager
    def _log_file(self) -> Iterator[IO[bytes]]:
        path = self._state / "postgres.log"
        if path.exists() and path.stat().st_size > _LOG_LIMIT:
            path.replace(path.with_suffix(".log.1"))
        with path.open("ab") as output:
            self._log_start = output.tell()
            yield output

    async def _make_way(self) -> None:
        """After a crash: end a server that outlived its supervisor, and see to a pid file that names a stranger.

        PostgreSQL refuses to start while the process in its pid file lives and is of the same user, which after the
        restart of a container or machine is often somebody else. The file itself must stay: by its other lines the new
        server makes sure that no process of the old one is left.
        """
        pid_file = self._there().data / "postmaster.pid"
        try:
            pid, *rest = pid_file.read_text().splitlines()
        except (FileNotFoundError, ValueError):
            return
        if _is_server_of(int(pid), self._there().data):
            log.warning("a PostgreSQL server of an earlier run still works here, stopping it", pid=int(pid))
            await _end_foreign(int(pid), self._there().data)
        elif _alive(int(pid)):
            pid_file.write_text("\n".join([str(os.getpid()), *rest]) + "\n")  # its own parent is never the old server

    async def _launch_until_up(self) -> None:
        """Start, again if parts of a killed server are still about to end."""
        try:
            async with asyncio.timeout(_START_S):
                self._launch()
                while not await self._answers():
                    if self._server is None or self._server.poll() is not None:
                        tail = self._log_tail()
                        if _PORT_TAKEN in tail and self._wanted_port is None:
                            self._credentials = self._read_or_make_credentials()  # somebody was quicker: another port
                        elif _OLD_PARTS_LEFT not in tail:
                            raise Misconfigured(f"PostgreSQL ended at once; the end of its log:\n{tail}")
                        await asyncio.sleep(_AGAIN_S)
                        self._launch()
                    await asyncio.sleep(_POLL_S)
        except TimeoutError as late:
            raise DeadlineExceeded(f"PostgreSQL does not answer; the end of its log:\n{self._log_tail()}") from late

    async def _answers(self) -> bool:
        with suppress(OSError, asyncpg.PostgresError):
            await _execute(self.url(database="postgres"), "select 1")
            return True
        return False

    def _log_tail(self) -> str:
        """What the server said since it was launched, ten lines at most."""
        with (self._state / "postgres.log").open("rb") as file:
            file.seek(self._log_start)
            return "\n".join(file.read().decode(errors="replace").splitlines()[-10:])

    async def _make_roles(self) -> None:
        """Roles, database and schemas as they must be; harmless when they are already so."""
        connection = await asyncpg.connect(self.url(database="postgres"))
        try:
            for role in SCHEMA_OWNERS.values():
                if not await connection.fetchval("select exists (select from pg_roles where rolname = $1)", role):
                    await connection.execute(f"create role {role} login")
                verifier = self._known().passwords[role]
                await connection.execute(f"alter role {role} password '{verifier}'")
            if not await connection.fetchval("select exists (select from pg_database where datname = $1)", DATABASE):
                await connection.execute(f"create database {DATABASE}")
        finally:
            await connection.close()
        await prepare_database(self.url())


async def prepare_database(admin_url: str) -> None:
    """Give each service its schema in a database, and nobody else any right there."""
    statements = ["revoke all on schema public from public"]
    for schema, owner in SCHEMA_OWNERS.items():
        statements += [
            f"create schema if not exists {schema} authorization {owner}",
            f"revoke all on schema {schema} from public",
        ]
    connection = await asyncpg.connect(admin_url)
    try:
        name = await connection.fetchval("select current_database()")
        await connection.execute(f'revoke all on database "{name}" from public')
        for owner in SCHEMA_OWNERS.values():
            await connection.execute(f'grant connect on database "{name}" to {owner}')
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


_ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url, timeout=5.0)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _ended(server: subprocess.Popen[bytes], within_s: float) -> bool:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    while server.poll() is None:
        if loop.time() > deadline:
            return False
        await asyncio.sleep(_POLL_S)
    return True


def _free_port(preferred: int) -> int:
    """The preferred port if nothing listens there, another one otherwise."""
    for port in (preferred, 0):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise Misconfigured("there is no free port on 127.0.0.1")


def _write_private(path: Path, text: str) -> None:
    """Replace a file at once, readable by nobody else at any moment."""
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    fresh.replace(path)


def _is_server_of(pid: int, data: Path) -> bool:
    """Whether the process is a PostgreSQL server on these files. Its command line anybody may read."""
    if sys.platform == "linux":
        with suppress(OSError):
            return f"\0-D\0{data}\0".encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
        return False
    listing = subprocess.run(["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S603
    return f" -D {data} " in listing.stdout


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


async def _end_foreign(pid: int, data: Path) -> None:
    """End a server that is not our child: in order and, if that does not help, at once."""
    loop = asyncio.get_running_loop()
    for ending in (signal.SIGINT, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.kill(pid, ending)
        deadline = loop.time() + _STOP_S
        while loop.time() < deadline:
            if not _is_server_of(pid, data):
                return
            await asyncio.sleep(_POLL_S)
