"""`.env.example`: every variable that Ronda reads, written from the settings classes."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from services.api.settings import ApiSettings
from services.notifier.settings import NotifierSettings
from services.poller.settings import PollerSettings
from services.provisioner.settings import ProvisionerSettings
from shared.config import DatabaseSettings, Described, ServiceSettings, Settings, described

_WIDTH = 118
_HEAD = """\
Ronda's settings. Written from the code by `make docs`; do not edit this one: copy it to `.env` and change it there.

A line with a # at its start shows what holds without it, or nothing where there is nothing to show. What the
environment says wins over `.env`. Without containers, every variable X of a service may be given as X_FILE too: the
path of a file that holds the value, so that a secret need not stand here.

`make run` and `make demo` start NATS and PostgreSQL themselves and make keys and ports; they need none of this.
`docker compose` needs the secrets that `python3 deploy/container/new_secrets.py` prints."""

SERVICES: dict[str, type[Settings]] = {
    "The poller": PollerSettings,
    "The provisioner": ProvisionerSettings,
    "The notifier": NotifierSettings,
    "The api": ApiSettings,
}


def _plain(variable: str, description: str, *, secret: bool = False) -> Described:
    return Described(variable, description, default=None, required=False, secret=secret, choices=())


# What is read by others than services, and so stands in no settings class.
_AROUND: dict[str, Sequence[Described]] = {
    "make demo, make run and the command line (read from the environment only, not from .env)": (
        _plain("RONDA_STATE_DIR", "Folder of a local run's databases and secrets; unset: .ronda in this folder."),
        _plain("RONDA_API_URL", "For the command line: the api's address; unset: the one of the local run."),
        _plain("RONDA_API_TOKEN", "For the command line: a token that POST /api/v1/tokens made.", secret=True),
        _plain("RONDA_ROUTER_PASSWORD", "For the command line: instead of asking for a router's.", secret=True),
        _plain("RONDA_ACCOUNT_PASSWORD", "For the command line: instead of asking for an account's.", secret=True),
    ),
    "docker compose": (
        _plain("RONDA_NOTIFIER_PORT", "Port on 127.0.0.1 where WhatsApp's webhooks arrive; unset: 9100."),
        _plain("RONDA_PIP_OPTIONS", "Options for pip while the image is built, for example --index-url of a mirror."),
    ),
    "Traces": (_plain("OTEL_EXPORTER_OTLP_ENDPOINT", "OpenTelemetry collector that gets traces; unset: none."),),
}


def env_example() -> str:
    """The whole file; copied as it is, it changes nothing."""
    shared: set[str] = set()
    groups: list[tuple[str, Iterable[Described]]] = []
    for title, common in (("Every service", ServiceSettings), ("Notifier and api", DatabaseSettings)):
        groups.append((title, described(common)))
        shared |= {each.variable for each in described(common)}
    told: set[str] = set()
    for title, settings in SERVICES.items():
        own = [each for each in described(settings) if each.variable not in shared | told]
        told |= {each.variable for each in own}
        groups.append((title, own))
    groups += _AROUND.items()
    return _comment(_HEAD) + "".join(f"\n\n# ── {title} ──\n{_group(variables)}" for title, variables in groups) + "\n"


def _group(variables: Iterable[Described]) -> str:
    return "".join(f"\n{_comment(_sentence(each))}\n#{each.variable}={each.default or ''}" for each in variables)


def _sentence(variable: Described) -> str:
    notes = [f"One of: {', '.join(variable.choices)}."] if variable.choices else []
    notes += ["Must be given where make does not."] if variable.required else []
    notes += ["Secret."] if variable.secret else []
    return " ".join([variable.description, *notes])


def _comment(text: str) -> str:
    wrapped = (line for part in text.splitlines() for line in textwrap.wrap(part, _WIDTH) or [""])
    return "\n".join(f"# {line}".rstrip() for line in wrapped)
