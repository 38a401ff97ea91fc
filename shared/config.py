"""Settings: read once from the environment, frozen, every fault reported together.

A service's `settings.py` subclasses `ServiceSettings`; each field is one variable `RONDA_<FIELD>` and carries a
description, which `.env.example` is written from (`described`). Every variable `X` may instead be given as `X_FILE`, a
path to a file that holds the value: that is how containers hand over secrets.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.errors import Misconfigured

if TYPE_CHECKING:
    from shared.security.sealing import KeyRing

PREFIX = "RONDA_"

S = TypeVar("S", bound="Settings")


class LogFormat(StrEnum):
    """How log lines look."""

    CONSOLE = "console"
    JSON = "json"


class Settings(BaseSettings):
    """A frozen model of `RONDA_…` variables; anything that is no service (a command, the lab's runner) starts here."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Fields for `repr`, with passwords inside addresses left out."""
        for name, value in super().__repr_args__():
            yield name, without_password(value) if isinstance(value, str) else value


class ServiceSettings(Settings):
    """What every service is told."""

    nats_url: str = Field(
        default="nats://127.0.0.1:4222", description="Address of the NATS server, with user and password if it asks."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least serious log line that is written."
    )
    log_format: LogFormat = Field(
        default=LogFormat.CONSOLE, description="Log lines for people (console) or for machines (json)."
    )
    health_host: str = Field(
        default="127.0.0.1", description="Address that serves /healthz, /readyz and /metrics; 0.0.0.0 in a container."
    )
    health_port: int = Field(default=0, ge=0, le=65535, description="Its port; 0 takes a free one and logs it.")
    instance: str = Field(
        default_factory=lambda: f"{socket.gethostname()}-{os.getpid()}",
        description="Name of this process among its like; unset: host name and process id.",
        min_length=1,
    )
    seal_keys: SecretStr | None = Field(
        default=None, description="Keys that seal passwords, <id>:<key>, separated by commas; the first one seals."
    )

    @field_validator("seal_keys")
    @classmethod
    def _seal_keys_are_keys(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            _parse_keys(value)
        return value

    def key_ring(self) -> KeyRing:
        """The keys that open router and account passwords. Raises Misconfigured if none were given."""
        if self.seal_keys is None:
            raise Misconfigured(
                f"{PREFIX}SEAL_KEYS is missing: this service opens sealed passwords; `ronda keys new` makes a key"
            )
        return _parse_keys(self.seal_keys)


class DatabaseSettings(Settings):
    """What a service with a database is told besides; inherit from it and from ServiceSettings."""

    database_url: SecretStr = Field(
        description="Address of the PostgreSQL database, postgresql://user:password@host:port/ronda."
    )
    database_pool_size: int = Field(default=8, ge=1, le=100, description="Connections held to the database at most.")


def load(settings_class: type[S], **overrides: Any) -> S:
    """Read the settings of a service from the environment; `overrides` win. Raises Misconfigured with every fault."""
    from_files, faults = _read_files(settings_class, os.environ)
    try:
        settings = settings_class(**{**from_files, **overrides})
    except ValidationError as wrong:
        faults += [_sentence(settings_class, error) for error in wrong.errors()]
        raise Misconfigured(_report(faults)) from None  # pydantic's own text repeats the values, secrets too
    if faults:
        raise Misconfigured(_report(faults))
    return settings


@dataclass(frozen=True, slots=True)
class Described:
    """One variable as documents show it. `default` is None for what must be given or is made at start."""

    variable: str
    description: str
    default: str | None
    required: bool
    secret: bool
    choices: tuple[str, ...]


def described(settings_class: type[Settings]) -> list[Described]:
    """Every variable of a settings class, in the order of definition. Raises ValueError for one without description."""
    return [_describe(name, field) for name, field in settings_class.model_fields.items()]


def without_password(address: str) -> str:
    """An address as it may be logged: `nats://ronda:secret@host` becomes `nats://ronda@host`."""
    if "@" not in address or "://" not in address:
        return address
    parts = urlsplit(address)
    user, _, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user.partition(':')[0]}@{host}").geturl()


def _parse_keys(value: SecretStr) -> KeyRing:
    from shared.security.sealing import KeyRing  # here: cryptography costs memory that not every service needs

    try:
        return KeyRing.parse(value.get_secret_value())
    except Misconfigured as wrong:
        raise ValueError(str(wrong)) from wrong


def _variable(name: str) -> str:
    return f"{PREFIX}{name.upper()}"


def _read_files(settings_class: type[Settings], environ: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The values given as `X_FILE`, and what is wrong with those."""
    values: dict[str, str] = {}
    faults: list[str] = []
    for name in settings_class.model_fields:
        variable = _variable(name)
        path = environ.get(f"{variable}_FILE")
        if not path:
            continue
        if environ.get(variable):
            faults.append(f"{variable} and {variable}_FILE are both set: give one of them")
            continue
        try:
            values[name] = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as wrong:
            reason = wrong.strerror if isinstance(wrong, OSError) else "not UTF-8"
            faults.append(f"{variable}_FILE: {path} cannot be read ({reason})")
    return values, faults


def _sentence(settings_class: type[Settings], error: Any) -> str:
    """A pydantic error as a sentence about a variable; the value is shown only where it cannot be a secret."""
    name = str(error["loc"][0]) if error["loc"] else ""
    field = settings_class.model_fields.get(name)
    message = str(error["msg"]).removeprefix("Value error, ")
    if field is None:
        return message
    if error["type"] == "missing":
        return f"{_variable(name)} is missing: {field.description}"
    shown = "" if _is_secret(field) or "://" in str(error["input"]) else f" (it is {error['input']!r})"
    return f"{_variable(name)}: {message}{shown}"


def _report(faults: list[str]) -> str:
    unique = list(dict.fromkeys(faults))
    return "\n".join([f"{len(unique)} setting(s) are wrong:", *(f"  - {fault}" for fault in unique)])


def _describe(name: str, field: FieldInfo) -> Described:
    if not field.description:
        raise ValueError(f"the setting {name} has no description")
    made_at_start = field.default_factory is not None or field.default in (PydanticUndefined, None)
    return Described(
        variable=_variable(name),
        description=field.description,
        default=None if made_at_start or _is_secret(field) else _as_text(field.default),
        required=field.is_required(),
        secret=_is_secret(field),
        choices=_choices(field.annotation),
    )


def _as_text(default: Any) -> str:
    if isinstance(default, tuple):
        return ",".join(map(str, default))
    return str(default).lower() if isinstance(default, bool) else str(default)


def _is_secret(field: FieldInfo) -> bool:
    return SecretStr in (field.annotation, *get_args(field.annotation))


def _choices(annotation: Any) -> tuple[str, ...]:
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return tuple(str(choice) for choice in annotation)
    return tuple(str(choice) for choice in get_args(annotation) if isinstance(choice, str))
