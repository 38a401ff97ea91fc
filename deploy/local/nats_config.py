"""The NATS server's configuration file, written from the table of rights.

`python -m deploy.local.nats_config` prints the one for containers, `deploy/nats.conf`, whose passwords come from the
environment; with `leaf` that of a far site's server, `deploy/nats-leaf.conf`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local.nats_rights import HUB_DOMAIN, RIGHTS, Rights, publish_subjects, subscribe_subjects

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
    leaf_port: int | None = None  # where servers of far sites connect to this one


@dataclass(frozen=True, slots=True)
class LeafPlace:
    """Where a far site's server listens, and how it reaches the hub. `hub` holds the password of the user `leaf`."""

    name: str
    host: str
    port: int
    hub: str


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
        *([f"  domain: {HUB_DOMAIN}"] if place.leaf_port is not None else []),
        "}",
        "authorization {",
        "  users: [",
        *(line for rights in RIGHTS for line in _user(rights, passwords[rights.user], by_environment)),
        "  ]",
        "}",
    ]
    if place.monitor_port is not None:
        lines.insert(3, f"http: {_quoted(f'{place.host}:{place.monitor_port}')}")
    if place.leaf_port is not None:
        lines.insert(3, f"leafnodes {{ listen: {_quoted(f'{place.host}:{place.leaf_port}')} }}")
    return "\n".join(lines) + "\n"


def render_leaf(place: LeafPlace, password: str, *, by_environment: bool = False) -> str:
    """The configuration of a far site's server: it keeps no streams, and at the hub it is what the poller is."""
    return "\n".join(
        [
            "# Written by deploy/local/nats_config.py; change it there.",
            "# A NATS server at a far site: its poller connects here, and one line leads to the hub.",
            f"server_name: {_quoted(place.name)}",
            f"listen: {_quoted(f'{place.host}:{place.port}')}",
            f"max_payload: {MAX_PAYLOAD_BYTES}",
            "# JetStream of a server without a domain is not to be had from another one: this asks for the hub's.",
            "mappings {",
            f"  {_quoted('$JS.API.>')}: {_quoted(f'$JS.{HUB_DOMAIN}.API.>')}",
            f"  {_quoted('$KV.>')}: {_quoted(f'$JS.{HUB_DOMAIN}.API.$KV.>')}",
            "}",
            "leafnodes {",
            f"  remotes: [ {{ url: {place.hub if by_environment else _quoted(place.hub)} }} ]",
            '  reconnect: "2s"',
            "}",
            "authorization {",
            "  users: [",
            f"    {{ user: poller, password: {'$' + password if by_environment else _quoted(password)} }}",
            "  ]",
            "}",
            "",
        ]
    )


def leaf_config() -> str:
    """`deploy/nats-leaf.conf`: for a far site; its two secrets come from the environment."""
    place = LeafPlace("far-site", "127.0.0.1", 4222, "$RONDA_NATS_HUB_URL")
    return render_leaf(place, "RONDA_NATS_POLLER_PASSWORD", by_environment=True)


def container_config() -> str:
    """`deploy/nats.conf`: for the container that `docker-compose.yml` starts."""
    names = {rights.user: f"RONDA_NATS_{rights.user.upper()}_PASSWORD" for rights in RIGHTS}
    place = ServerPlace("ronda", "0.0.0.0", 4222, Path("/data"), monitor_port=8222, leaf_port=7422)
    return render(place, names, by_environment=True)


def _user(rights: Rights, password: str, by_environment: bool) -> list[str]:
    return [
        "    {",
        f"      user: {_quoted(rights.user)}",
        f"      password: {'$' + password if by_environment else _quoted(password)}",
        "      permissions: {",
        f"        publish: {{ allow: {_list(publish_subjects(rights))}{_denied(rights)} }}",
        f"        subscribe: {{ allow: {_list(subscribe_subjects(rights))} }}",
        '        allow_responses: { max: 1, expires: "5m" }',
        "      }",
        "    }",
    ]


def _denied(rights: Rights) -> str:
    return f", deny: {_list(rights.never_says)}" if rights.never_says else ""


def _list(subjects: Sequence[str]) -> str:
    return "[" + ", ".join(_quoted(subject) for subject in subjects) + "]"


def _quoted(text: str) -> str:
    # Strings in double quotes take the escapes of JSON and no variables.
    return json.dumps(text)


if __name__ == "__main__":
    sys.stdout.write(leaf_config() if "leaf" in sys.argv[1:] else container_config())
