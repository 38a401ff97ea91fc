"""The variables that each service is started with: the user's own, completed by what this machine provides."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

SERVICES = ("poller", "provisioner", "notifier", "api")
WITH_DATABASE = ("notifier", "api")


@dataclass(frozen=True, slots=True)
class Provided:
    """What the runner found or made: addresses per service, ports, the key ring."""

    nats_urls: Mapping[str, str]
    database_urls: Mapping[str, str]
    health_ports: Mapping[str, int]
    api_port: int
    seal_keys: str
    extra: Mapping[str, str]


def own_settings(folder: Path) -> dict[str, str]:
    """The user's variables: the environment wins over `.env` in the project's folder."""
    from_file = {name: value for name, value in dotenv_values(folder / ".env").items() if value}
    return {**from_file, **{name: value for name, value in os.environ.items() if name.startswith("RONDA_")}}


def service_environment(service: str, own: Mapping[str, str], provided: Provided) -> dict[str, str]:
    """All variables of one service. What the user set himself stays, but for the ports that have to be free."""
    made = {
        **provided.extra,
        "RONDA_NATS_URL": provided.nats_urls[service],
        "RONDA_INSTANCE": f"{service}-local",
        "PYTHONUNBUFFERED": "1",
    }
    if "RONDA_SEAL_KEYS_FILE" not in own:
        made["RONDA_SEAL_KEYS"] = provided.seal_keys
    if service in WITH_DATABASE:
        made["RONDA_DATABASE_URL"] = provided.database_urls[service]
    fixed = {"RONDA_HEALTH_PORT": str(provided.health_ports[service])}
    if service == "api":
        fixed["RONDA_API_PORT"] = str(provided.api_port)
    return {**made, **own, **fixed}
