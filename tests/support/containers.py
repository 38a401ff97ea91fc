"""The servers of `docker-compose.yml` as containers of a test's own: same images, configuration and rights."""

from __future__ import annotations

import importlib.util
import os
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE_TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE = yaml.safe_load(COMPOSE_TEXT)

_PORTS = {"nats": 4222, "postgres": 5432}
_VOLUMES = {"nats": "/data", "postgres": "/var/lib/postgresql"}
_HEALTHY_WITHIN_S = 60.0


def new_secrets() -> dict[str, str]:
    """What `deploy/container/new_secrets.py` would print."""
    spec = importlib.util.spec_from_file_location("new_secrets", ROOT / "deploy/container/new_secrets.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return dict(line.split("=", 1) for line in module.lines())


@pytest.fixture(scope="module")
def container_servers() -> Iterator[dict[str, str]]:
    """Addresses: `nats-<user>` and `postgres-<role>`; besides them the `seal-keys`."""
    secrets = new_secrets()
    with ExitStack() as stack:
        nats = stack.enter_context(_running("nats", secrets))
        postgres = stack.enter_context(_running("postgres", secrets))
        users = {name[11:-9].lower(): value for name, value in secrets.items() if name.startswith("RONDA_NATS_")}
        roles = {role: secrets[f"RONDA_POSTGRES_{role.upper()}_PASSWORD"] for role in ("api", "notifier")}
        yield {
            **{f"nats-{user}": f"nats://{user}:{password}@{nats}" for user, password in users.items()},
            **{
                f"postgres-{role}": f"postgresql://ronda_{role}:{word}@{postgres}/ronda" for role, word in roles.items()
            },
            "seal-keys": secrets["RONDA_SEAL_KEYS"],
        }


@contextmanager
def _running(name: str, secrets: dict[str, str]) -> Iterator[str]:
    """One server; answers host:port. Skips where its image is neither here nor to be had, unless Docker is required."""
    os.environ["TESTCONTAINERS_RYUK_DISABLED"] = "true"  # what would tidy up after us is an image to be fetched first
    from docker.errors import DockerException

    container = _described(name, COMPOSE["services"][name], secrets)
    try:
        container.start()
    except DockerException as absent:
        if "docker" in os.environ.get("RONDA_REQUIRE", ""):
            raise
        pytest.skip(f"no image for {name}: {absent}")
    try:
        _wait_until_healthy(container.get_wrapped_container())
        yield f"{container.get_container_host_ip()}:{container.get_exposed_port(_PORTS[name])}"
    finally:
        container.stop()


def _described(name: str, service: dict[str, Any], secrets: dict[str, str]) -> Any:
    from testcontainers.core.container import DockerContainer

    container = DockerContainer(service["image"]).with_exposed_ports(_PORTS[name])
    for variable, value in service["environment"].items():
        container.with_env(variable, re.sub(r"\$\{(\w+)\}", lambda found: secrets[found[1]], value))
    for volume in service["volumes"]:
        source, target, *mode = volume.split(":")
        if source.startswith("./"):
            container.with_volume_mapping(str(ROOT / source), target, *mode)
    if command := service.get("command"):
        container.with_command(command)
    for folder in (*service.get("tmpfs", []), _VOLUMES[name]):
        container.with_tmpfs_mount(folder)
    second = 1_000_000_000
    check = {"test": service["healthcheck"]["test"], "interval": second, "timeout": 3 * second, "retries": 60}
    return container.with_kwargs(
        read_only=service["read_only"],
        cap_drop=service["cap_drop"],
        cap_add=service.get("cap_add", []),
        security_opt=service["security_opt"],
        healthcheck=check,
    )


def _wait_until_healthy(container: Any) -> None:
    deadline = time.monotonic() + _HEALTHY_WITHIN_S
    while container.attrs["State"].get("Health", {}).get("Status") != "healthy":
        if time.monotonic() > deadline:
            raise TimeoutError(container.logs().decode())
        time.sleep(0.1)
        container.reload()
