"""What a script on a router posts, read generously: the fields as our scripts send them, and the names others use.

Our own scripts say `raw=yes` first and put the user's name last: RouterOS 6 cannot escape text for a form, so
everything behind `user=` is the name, whatever stands in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from services.api.core.faults import Fault, Faulty
from shared.contracts.ids import RouterId
from shared.contracts.vocabulary import Saying, Service
from shared.errors import Invalid

MOST_BYTES = 4096
_LONGEST = 200  # characters of a value; names of users are at most 64

# For each field the names that scripts give it; the first is ours.
FIELDS: dict[str, tuple[str, ...]] = {
    "event": ("event", "action", "status", "state", "type"),
    "service": ("service",),
    "account": ("user", "username", "account", "name"),
    "address": ("address", "ip", "ip-address", "remote-address", "host"),
    "mac": ("mac", "mac-address", "caller-id"),
    "interface": ("interface",),
    "reason": ("cause", "reason"),
    "duration_s": ("uptime-secs", "uptime", "duration"),
    "bytes_in": ("bytes-in", "upload"),
    "bytes_out": ("bytes-out", "download"),
    "router_time": ("time", "date"),
}
_MEANING: dict[Saying, tuple[str, ...]] = {
    Saying.LOGIN: ("login", "log in", "logged in", "loggedin", "in", "connect", "connected", "start"),
    Saying.LOGOUT: ("logout", "log out", "logged out", "loggedout", "out", "disconnect", "disconnected", "stop"),
    Saying.UP: ("up", "on", "online"),
    Saying.DOWN: ("down", "off", "offline"),
}
_SAYINGS = {word: saying for saying, words in _MEANING.items() for word in words}
_OF_A_USER = {Saying.UP: Saying.LOGIN, Saying.DOWN: Saying.LOGOUT}
_PPP_NAMES = ("ppp", "pppoe", "pptp", "l2tp", "sstp", "ovpn")
_DURATION = re.compile(r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+):(\d+):(\d+)|(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?)")


def read_fields(body: bytes, content_type: str) -> dict[str, str]:
    """The fields of a body: a form, or a flat JSON object. Raises Invalid in words that fit a router's log."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        text = body.decode("latin-1")  # RouterOS sends the bytes of a name as they were typed
    text = text.strip()
    if text.startswith("{") or "json" in content_type:
        return _json_fields(text)
    if text.startswith("raw=yes&"):
        front, found, name = text.partition("user=")
        pairs = [part.partition("=") for part in front.split("&") if part]
        return {key: value for key, _, value in pairs} | ({"user": name} if found else {})
    return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=50))


def _json_fields(text: str) -> dict[str, str]:
    try:
        found = json.loads(text)
    except ValueError as wrong:
        raise Invalid("this is no JSON object, though it begins like one") from wrong
    if not isinstance(found, dict):
        raise Invalid("a JSON object with the fields is wanted")
    return {str(key): str(value) for key, value in found.items() if isinstance(value, str | int | float)}


def read_saying(fields: Mapping[str, str], router_id: RouterId) -> dict[str, Any]:
    """The values of a `RouterSaid` but its time and id. Raises Faulty naming the field that is missing or wrong."""
    given = _by_our_names(fields)
    word = given.get("event", "").lower().replace("_", " ").replace("-", " ").removeprefix("on ").strip()
    saying = _SAYINGS.get(word)
    if saying is None:
        wanted = ", ".join(words[0] for words in _MEANING.values())
        raise Faulty([Fault("event", "unknown_event", f"event «{word[:40]}» is none of {wanted}.")])
    account = given.get("account")
    if account and saying in _OF_A_USER:
        saying = _OF_A_USER[saying]  # «up» and «down» of a PPP profile
    needed = "user" if saying in {Saying.LOGIN, Saying.LOGOUT} else "host"
    if not (account if needed == "user" else given.get("address")):
        raise Faulty([Fault(needed, "missing", f"event {saying} needs {needed}.")])
    values: dict[str, Any] = {"router_id": router_id, "saying": saying}
    if needed == "user":
        values |= {"account": account, "service": _service(given)}
        values |= {name: given.get(name) for name in ("mac", "interface", "reason")}
        values["mac"] = (given.get("mac") or "").upper() or None
        values["duration_s"] = _seconds(given.get("duration_s"))
        values |= {name: _whole(given.get(name)) for name in ("bytes_in", "bytes_out")}
    return values | {"address": given.get("address"), "router_time": given.get("router_time")}


def _by_our_names(fields: Mapping[str, str]) -> dict[str, str]:
    sent = {name.strip().lower().replace("_", "-"): value.strip() for name, value in fields.items()}
    found: dict[str, str] = {}
    for ours, names in FIELDS.items():
        value = next((sent[name] for name in names if sent.get(name)), "")
        if len(value) > _LONGEST:
            raise Faulty([Fault(names[0], "too_long", f"{names[0]} is longer than {_LONGEST} characters.")])
        if value:
            found[ours] = value
    return found


def _service(given: Mapping[str, str]) -> Service:
    named = given.get("service", "").lower()
    if named in _PPP_NAMES:
        return Service.PPP
    # A PPP profile's scripts know their line by its number, `*F00001`; a hotspot's know its name.
    return Service.PPP if not named and given.get("interface", "").startswith("*") else Service.HOTSPOT


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None


def _seconds(text: str | None) -> float | None:
    """`3857`, `1h4m17s`, `1d02:03:04`; None if it is none of these."""
    if text is None:
        return None
    if text.isascii() and text.isdigit():
        return float(text)
    found = _DURATION.fullmatch(text)
    if found is None:
        return None
    weeks, days, *rest = (int(part or 0) for part in found.groups())
    hours, minutes, seconds = rest[0] + rest[3], rest[1] + rest[4], rest[2] + rest[5]
    return float(((weeks * 7 + days) * 24 + hours) * 3600 + minutes * 60 + seconds)
