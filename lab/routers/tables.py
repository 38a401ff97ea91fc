"""What menus exist on a version, with which fields: `menus.json` read for one personality.

A field in the file is `[type, default, flags, since]`, shortened from the right. Flags: `ro` cannot be
given, `req`
must be given, `opt` may be absent and is cleared by unset. The `6` part of a path lists only what differs
from 7.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Any

from lab.routers.personality import Personality

LIST_PRINT = frozenset(
    [
        "append",
        "as-value",
        "brief",
        "count-only",
        "detail",
        "file",
        "follow",
        "follow-only",
        "follow-strict",
        "from",
        "group-by",
        "interval",
        "proplist",
        "show-ids",
        "terse",
        "value-list",
        "where",
        "without-paging",
    ]
)
SINGLETON_PRINT = frozenset(["as-value", "file", "interval", "oid", "without-paging"])
SENSITIVE_MENUS = frozenset(
    [
        "/ppp/secret",
        "/ip/hotspot/user",
        "/ip/hotspot/profile",
        "/user",
        "/radius",
        "/user-manager/user",
        "/user-manager/router",
        "/user-manager/advanced",
    ]
)


@dataclass(frozen=True, slots=True)
class Field:
    """One property of a menu."""

    name: str
    kind: str
    default: str | None = None
    readonly: bool = False
    required: bool = False
    optional: bool = False


@dataclass(frozen=True)
class MenuSpec:
    """One path of one version."""

    path: str
    kind: str
    fields: Mapping[str, Field]
    commands: frozenset[str]
    print_arguments: frozenset[str]
    package: str = ""
    references: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def singleton(self) -> bool:
        return self.kind == "singleton"


def load_menus(personality: Personality) -> Mapping[str, MenuSpec]:
    """Every menu the personality has. Loaded once per version, board and set of packages."""
    return _load(personality.number, personality.board, personality.packages)


@lru_cache(maxsize=64)
def _load(number: tuple[int, ...], board: str, packages: frozenset[str]) -> Mapping[str, MenuSpec]:
    found: dict[str, MenuSpec] = {}
    for path, versions in _file().items():
        spec = _spec(path, versions, number)
        if spec is None or not _installed(spec, board, number, packages):
            continue
        found[path] = _without_sensors(spec) if path == "/system/health" and _boardless(board, number) else spec
    return found


@lru_cache(maxsize=1)
def _file() -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for name in ("menus.json", "more_menus.json"):
        merged |= json.loads(resources.files(__package__).joinpath(name).read_text("utf-8"))
    return merged


def _boardless(board: str, number: tuple[int, ...]) -> bool:
    return board in {"CHR", "x86"} and number[0] >= 7


def _without_sensors(spec: MenuSpec) -> MenuSpec:
    """On a CHR of 7 the menu is a singleton that knows one setting and no value."""
    state = Field("state-after-reboot", "enum:enabled|disabled", "enabled")
    return MenuSpec(spec.path, "singleton", {state.name: state}, frozenset({"get", "print", "set"}), SINGLETON_PRINT)


def _installed(spec: MenuSpec, board: str, number: tuple[int, ...], packages: frozenset[str]) -> bool:
    if _boardless(board, number) and spec.path == "/system/routerboard":
        return False
    needed = "user-manager" if "user-manager" in spec.path else spec.package
    if spec.path.startswith("/ip/hotspot"):
        needed = "hotspot"
    elif spec.path.startswith("/ppp"):
        needed = "ppp"
    optional = {"user-manager"} if number[0] >= 7 else {"user-manager", "ppp", "hotspot", "dhcp"}
    return needed not in optional or needed in packages


def _spec(path: str, versions: dict[str, Any], number: tuple[int, ...]) -> MenuSpec | None:
    line = str(number[0])
    if line not in versions:
        return None
    base, own = versions.get("7", versions[line]), versions[line]
    raw: dict[str, list[Any]] = {} if own is base else dict(base.get("fields", {}))
    for name in str(own.get("drop", "")).split():
        raw.pop(name, None)
    raw |= own.get("fields", {})
    fields = {name: _field(name, parts) for name, parts in raw.items() if _known(parts, number)}
    kind = own.get("kind", base["kind"])
    printing = SINGLETON_PRINT if kind == "singleton" else LIST_PRINT
    printing |= frozenset(own.get("print", base.get("print", "")).split())
    if path in SENSITIVE_MENUS and number >= (7, 21):
        printing |= {"show-sensitive"}
    commands = frozenset(own.get("commands", base.get("commands", "")).split())
    if kind != "command":
        commands |= {"print", "get"}
    package = own.get("package", base.get("package", ""))
    return MenuSpec(path, kind, fields, commands, printing, package)


def _known(parts: list[Any], number: tuple[int, ...]) -> bool:
    since = parts[3] if len(parts) > 3 else ""
    return not since or number[0] == 6 or number >= tuple(int(part) for part in since.split("."))


def _field(name: str, parts: list[Any]) -> Field:
    default = parts[1] if len(parts) > 1 else None
    flags = parts[2].split() if len(parts) > 2 else []
    return Field(name, parts[0], default, "ro" in flags, "req" in flags, "opt" in flags)
