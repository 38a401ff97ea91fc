"""Everything that one machine needs, started in order and ended in reverse: servers, lab, services.

The runner (`make demo`, `make run`), the end-to-end tests and the benchmarks all start the product here, so what is
tested is what a newcomer runs.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.local.environment import SERVICES, Provided, own_settings, service_environment
from deploy.local.lab_settings import settings_for
from deploy.local.nats_rights import USERS
from deploy.local.nats_server import NatsServer
from deploy.local.output import Output
from deploy.local.ports import Claims
from deploy.local.postgres import LocalPostgres
from deploy.local.readiness import answers_ready
from deploy.local.settings_check import check_settings
from deploy.local.state import StateFolder
from deploy.local.supervisor import ChildSpec, Supervisor
from shared.errors import RondaError
from shared.security.sealing import generate_key

ROOT = Path(__file__).resolve().parent.parent.parent
STANDARD_PORTS = {"api": 8080, "nats": 4222, "postgres": 5432, "lab": 8090}
FIRST_HEALTH_PORT = 9101
_LOOK_EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class Options:
    """What to start. `standard_ports`: try the well-known ones first; tests take any free ones."""

    state: Path
    lab: bool
    lab_arguments: tuple[str, ...] = ()
    standard_ports: bool = True
    settings: Mapping[str, str] = field(default_factory=lambda: own_settings(ROOT))


@dataclass(slots=True)
class Stack:
    """A running installation and where its parts are."""

    state: StateFolder
    supervisor: Supervisor
    output: Output
    provided: Provided
    nats: NatsServer | None
    postgres: LocalPostgres | None
    lab: dict[str, Any]

    @property
    def api_url(self) -> str:
        """Where console and REST are."""
        return f"http://127.0.0.1:{self.provided.api_port}"

    def pids(self) -> dict[str, int]:
        """Every process of the installation by name."""
        found = self.supervisor.pids()
        if self.nats is not None and self.nats.pid is not None:
            found["nats"] = self.nats.pid
        if self.postgres is not None and self.postgres.pid is not None:
            found["postgres"] = self.postgres.pid
        return found


@asynccontextmanager
async def running(options: Options, output: Output) -> AsyncIterator[Stack]:
    """Start everything and hand it over ready; on leaving, end everything in reverse order.

    Raises Conflict if the state folder is in use, Misconfigured or Unreachable with the reason if a part cannot start.
    """
    if not options.lab:  # the lab brings settings of its own
        check_settings(options.settings)
    state = StateFolder.open(options.state)
    async with AsyncExitStack() as exits:
        exits.enter_context(state.locked())
        ports = exits.enter_context(Claims())
        servers = await exits.enter_async_context(AsyncExitStack())  # ended last: services say goodbye to them
        supervisor = Supervisor(output)
        exits.push_async_callback(supervisor.stop)
        lab_ready = asyncio.create_task(_start_lab(options, state, supervisor, ports))
        exits.push_async_callback(_cancel, lab_ready)
        nats, nats_urls = _start_nats(options, state, servers, ports)
        postgres, database_urls = await _start_postgres(options, state, servers, ports)
        lab = await lab_ready
        provided = _provide(options, state, ports, nats_urls, database_urls, lab)
        await supervisor.start_together(
            *(_service(name, options, provided) for name in SERVICES),
        )
        stack = Stack(state, supervisor, output, provided, nats, postgres, lab)
        keeper = asyncio.create_task(_keep_servers(stack))
        exits.push_async_callback(_cancel, keeper)
        state.keep_variables("api", service_environment("api", options.settings, provided))
        state.keep_variables("operator", {"RONDA_NATS_URL": nats_urls["operator"]})
        state.remember("run", {"api_url": stack.api_url, "pids": stack.pids(), "lab": lab.get("control", "")})
        yield stack


def _start_nats(
    options: Options, state: StateFolder, exits: AsyncExitStack, ports: Claims
) -> tuple[NatsServer | None, dict[str, str]]:
    if url := options.settings.get("RONDA_NATS_URL"):
        return None, dict.fromkeys((*SERVICES, "operator"), url)
    passwords = {user: state.secret(f"nats-{user}") for user in USERS}
    server = NatsServer(state.path / "nats", port=_port(options, ports, "nats"), passwords=passwords)
    server.start()
    exits.callback(server.stop)
    return server, {user: server.url(user) for user in USERS}


async def _start_postgres(
    options: Options, state: StateFolder, exits: AsyncExitStack, ports: Claims
) -> tuple[LocalPostgres | None, dict[str, str]]:
    if url := options.settings.get("RONDA_DATABASE_URL"):
        return None, {"api": url, "notifier": url}
    server = LocalPostgres(state.path / "postgresql", port=_port(options, ports, "postgres") or None)
    exits.push_async_callback(server.stop)
    await server.start()
    return server, {"api": server.service_url("api"), "notifier": server.service_url("notifier")}


async def _start_lab(options: Options, state: StateFolder, supervisor: Supervisor, ports: Claims) -> dict[str, Any]:
    if not options.lab:
        return {}
    addresses = state.path / "lab.json"
    addresses.unlink(missing_ok=True)

    async def written() -> bool:
        return addresses.exists()

    arguments = [
        "--state",
        str(state.path),
        "--control-port",
        str(_port(options, ports, "lab")),
        *options.lab_arguments,
    ]
    command = [sys.executable, "-m", "lab", *arguments]
    await supervisor.start(ChildSpec("lab", command, environment={"PYTHONPATH": str(ROOT)}, ready=written))
    return state.recall("lab")


def _provide(
    options: Options,
    state: StateFolder,
    ports: Claims,
    nats_urls: Mapping[str, str],
    database_urls: Mapping[str, str],
    lab: Mapping[str, Any],
) -> Provided:
    standard = options.standard_ports
    health = [ports.choose(FIRST_HEALTH_PORT) if standard else ports.choose_any() for _ in SERVICES]
    return Provided(
        nats_urls=nats_urls,
        database_urls=database_urls,
        health_ports=dict(zip(SERVICES, sorted(health), strict=True)),
        api_port=_api_port(options, ports),
        seal_keys=state.secret("seal-keys", generate_key()),
        extra=settings_for(lab),
    )


def _api_port(options: Options, ports: Claims) -> int:
    wanted = int(options.settings.get("RONDA_API_PORT", STANDARD_PORTS["api"]))
    return ports.choose(wanted) if options.standard_ports else ports.choose_any()


def _port(options: Options, ports: Claims, part: str) -> int:
    """The standard port or the next free one; 0 leaves the choice to the part itself."""
    return ports.choose(STANDARD_PORTS[part]) if options.standard_ports else 0


def _service(name: str, options: Options, provided: Provided) -> ChildSpec:
    return ChildSpec(
        name,
        [sys.executable, "-m", f"services.{name}"],
        environment={**service_environment(name, options.settings, provided), "PYTHONPATH": str(ROOT)},
        ready=answers_ready(provided.health_ports[name] if name != "api" else provided.api_port),
    )


async def _keep_servers(stack: Stack) -> None:
    """Start NATS and PostgreSQL again when they end by themselves, and say so."""
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        try:
            if stack.nats is not None and stack.nats.pid is None:
                stack.output.line("supervisor", "nats ended; starting it again")
                stack.nats.start()
            if stack.postgres is not None and stack.postgres.pid is None:
                stack.output.line("supervisor", "postgresql ended; starting it again")
                await stack.postgres.stop()
                await stack.postgres.start()
        except RondaError as failure:
            stack.output.line("supervisor", str(failure))


async def _cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.wait({task})
