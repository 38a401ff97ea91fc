"""The NATS server's configuration file, written from the table of rights.

`python -m deploy.local.nats_config` prints the one for containers, `deploy/nats.conf`, whose passwords come from the
environment.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local.nats_rights import RIGHTS, Rights, publish_subjects, subscribe_subjects

MAX_PAYLOAD_BYTES = 1024 * 1024
# The server writes to the operating system at once (a killed server loses nothing) and to the disk this often: what a
# power failure may cost.
SYNC_INTERVAL = "2s"


@dataclass(frozen=True, slots=True)
class ServerPlace:
    """Where a server listens and keeps its streams."""

    name: str
    host: str
    port: int
    store: Path
    monitor_port: int | None = None


def render(place: ServerPlace, passwords: Mapping[str, str], *, by_environment: bool = False) -> str:
    """The configuration. With `by_environment` the passwords are names of environment variables."""
    lines = [
        "# Written by deploy/local/nats_config.py from the table in nats_rights.py; change it there.",
        f"server_name: {_quoted(place.name)}",
        f"listen: {_quoted(f'{place.host}:{place.port}')}",
        f"max_payload: {MAX_PAYLOAD_BYTES}",
        "jetstream {",
        f"  store_dir: {_quoted(str(place.store))}",
        f"  sync_interval: {_quoted(SYNC_INTERVAL)}",
        "}",
        "authorization {",
        "  users: [",
        *(line for rights in RIGHTS for line in _user(rights, passwords[rights.user], by_environment)),
        "  ]",
        "}",
    ]
    if place.monitor_port is not None:
        lines.insert(3, f"http: {_quoted(f'{place.host}:{place.monitor_port}')}")
    return "\n".join(lines) + "\n"


def container_config() -> str:
    """`deploy/nats.conf`: for the container that `docker-compose.yml` starts."""
    names = {rights.user: f"RONDA_NATS_{rights.user.upper()}_PASSWORD" for rights in RIGHTS}
    place = ServerPlace("ronda", "0.0.0.0", 4222, Path("/data"), monitor_port=8222)
    return render(place, names, by_environment=True)


def _user(rights: Rights, password: str, by_environment: bool) -> list[str]:
    return [
        "    {",
        f"      user: {_quoted(rights.user)}",
        f"      password: {'$' + password if by_environment else _quoted(password)}",
        "      permissions: {",
        f"        publish: {{ allow: {_list(publish_subjects(rights))} }}",
        f"        subscribe: {{ allow: {_list(subscribe_subjects(rights))} }}",
        '        allow_responses: { max: 1, expires: "5m" }',
        "      }",
        "    }",
    ]


def _list(subjects: Sequence[str]) -> str:
    return "[" + ", ".join(_quoted(subject) for subject in subjects) + "]"


def _quoted(text: str) -> str:
    # Strings in double quotes take the escapes of JSON and no variables.
    return json.dumps(text)


if __name__ == "__main__":
    sys.stdout.write(container_config())
