"""What a field accepts and the form in which it is kept: `90m` becomes `1h30m`, `yes` becomes `true`."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from functools import lru_cache

from lab.routers import errors
from lab.routers.durations import format_duration, parse_date, parse_duration
from lab.routers.tables import Field

Normal = Callable[[str], str | None]
"""The stored form of a text, or None if it is not acceptable."""
Resolve = Callable[[str, str], str]
"""Stored form of a reference: field name and text given. Raises Trap."""

RATE = re.compile(r"([0-9]+(?:\.[0-9]+)?)([kMG]?)")
SCALE = {"": 1, "k": 1000, "M": 1_000_000, "G": 1_000_000_000}
LITERALS = frozenset(
    [
        "none",
        "all",
        "unlimited",
        "disabled",
        "auto",
        "off",
        "never",
        "bind",
        "static-only",
        "bottom",
        "first",
        "received",
        "immediately",
        "forever",
        "lease-time",
        "sometime",
        "not-yet-running",
    ]
)
RANGES = {
    "port": (0, 65535),
    "authentication-port": (1, 65535),
    "accounting-port": (1, 65535),
    "coa-port": (1, 65535),
    "max-sessions": (1, 1000),
    "ttl": (1, 255),
    "packet-count": (1, 1000),
    "packet-size": (28, 65535),
    "distance": (1, 255),
    "mtu": (68, 65535),
}


def normalise(field: Field, text: str, resolve: Resolve) -> str:
    """The stored form of `text` for `field`. Raises Trap with the router's own words."""
    kind = field.kind
    if kind.startswith("enum:"):
        return choose(field.name, kind[5:].split("|"), text)
    if kind.startswith("set:"):
        return _bits(field.name, kind[4:].split(","), text)
    alternatives = kind.split("|")
    if text in LITERALS and text in alternatives:
        return text
    main = next((one for one in alternatives if one not in LITERALS), "string")
    if main in {"reference", "interface-name"} and "list" not in kind:
        return resolve(field.name, text)
    if kind == "list of ip-prefix|interface-name":
        return ",".join(_prefix(part) or resolve("interface", part) for part in text.split(","))
    value = NORMAL.get(kind, NORMAL.get(main, _text))(text)
    if value is None:
        raise errors.invalid_value(field.name)
    if main == "integer" and field.name in RANGES:
        low, high = RANGES[field.name]
        if not low <= int(value) <= high:
            raise errors.out_of_range(low, high)
    return value


def choose(name: str, words: list[str], text: str) -> str:
    """The one of `words` that `text` is, or is the beginning of. Raises Trap if none or several are."""
    if text in words:
        return text
    close = [word for word in words if word.startswith(text)]
    if not close:
        raise errors.no_match(name)
    if len(close) > 1:
        raise errors.ambiguous(name)
    return close[0]


def _bits(name: str, words: list[str], text: str) -> str:
    if not text:
        return ""
    given = [choose(name, words, part) for part in text.split(",")]
    return ",".join(word for word in words if word in given)


def _text(text: str) -> str | None:
    return text


def _integer(text: str) -> str | None:
    return str(int(text)) if text.isdecimal() and text.isascii() else None


def boolean(text: str) -> str | None:
    """`true` or `false` of the four words the router takes."""
    return {"yes": "true", "true": "true", "no": "false", "false": "false"}.get(text)


def _duration(text: str) -> str | None:
    seconds = parse_duration(text)
    return None if seconds is None else format_duration(seconds)


def _seconds(text: str) -> str | None:
    seconds = parse_duration(text)
    return None if seconds is None else str(int(seconds))


def _decimal(text: str) -> str | None:
    return text if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text) else None


def _ipv4(text: str) -> str | None:
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        return None


def _ip(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None


def _ipv6(text: str) -> str | None:
    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError:
        return None


def _prefix(text: str) -> str | None:
    """An address with its prefix; a bare address gets /32."""
    address, slash, bits = text.partition("/")
    kept = _ip(address)
    if kept is None or (
        slash and not (bits.isascii() and bits.isdecimal() and int(bits) <= (128 if ":" in kept else 32))
    ):
        return None
    return f"{kept}/{bits or (128 if ':' in kept else 32)}"


def _range(text: str) -> str | None:
    first, dash, last = text.partition("-")
    if dash:
        one, other = _ipv4(first), _ipv4(last)
        if one is None or other is None:
            return None
        return f"{one}-{other}" if ipaddress.IPv4Address(one) <= ipaddress.IPv4Address(other) else None
    return _prefix(text) if "/" in text else _ip(text)


def _ranges(text: str) -> str | None:
    parts = [_range(part) for part in text.split(",")]
    return None if None in parts else ",".join(part or "" for part in parts)


def _mac(text: str) -> str | None:
    plain = text.replace("-", ":")
    return plain.upper() if re.fullmatch(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}", plain) else None


def _address(text: str) -> str | None:
    """An address, with an optional prefix, VRF (`@main`) or link (`%ether1`)."""
    plain = re.split(r"[@%]", text, maxsplit=1)[0]
    if "/" in plain:
        return text if _prefix(plain) else None
    return text if _ip(plain) else None


def _address_or_name(text: str) -> str | None:
    if _address(text):
        return text
    looks_numeric = re.fullmatch(r"[\d.:/]+", text)
    return text if text and not looks_numeric else None


def _rate(text: str) -> str | None:
    found = RATE.fullmatch(text)
    return str(round(float(found[1]) * SCALE[found[2]])) if found else None


def _bytes(text: str) -> str | None:
    rate = _rate(text.removesuffix("B"))
    return None if rate is None else f"{rate}B"


def _pair(one: Normal) -> Normal:
    def both(text: str) -> str | None:
        first, slash, second = text.partition("/")
        left = one(first)
        right = one(second) if slash else left
        return None if left is None or right is None else f"{left}/{right}"

    return both


def _priority(text: str) -> str | None:
    return text if re.fullmatch("[1-8]", text) else None


def _clock_time(text: str) -> str | None:
    found = re.fullmatch(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", text, re.ASCII)
    if not found or int(found[1]) > 23 or int(found[2]) > 59:
        return None
    return f"{int(found[1]):02}:{found[2]}:{found[3] or '00'}"


def _date(text: str) -> str | None:
    return text if parse_date(text) else None


def _datetime(text: str) -> str | None:
    return text if parse_date(text.partition(" ")[0]) else None


NORMAL: dict[str, Normal] = {
    "string": _text,
    "integer": _integer,
    "integer (KiB)": _integer,
    "percent": _integer,
    "bool": boolean,
    "duration": _duration,
    "seconds": _seconds,
    "decimal": _decimal,
    "ipv4": _ipv4,
    "ipv6": _ipv6,
    "ipv4/prefix": _prefix,
    "ip-range": _range,
    "list of ip-range": _ranges,
    "mac": lru_cache(maxsize=4096)(_mac),
    "address": _address,
    "address-or-name": _address_or_name,
    "bits/s": _rate,
    "bytes": _bytes,
    "pair of bits/s": _pair(_rate),
    "pair of durations": _pair(_duration),
    "pair of 1..8": _pair(_priority),
    "pair": _pair(_text),
    "HH:MM:SS": _clock_time,
    "date": _date,
    "datetime": _datetime,
}
