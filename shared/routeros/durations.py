"""RouterOS durations: `3w2d19h6m3s`, `1d 00:00:00`, `00:05:00`, `453us`, plain seconds.

RouterOS prints weeks, days, hours, minutes, seconds, leaves zero parts out and writes zero as `0s`; it reads
all of the forms above. Equal lengths have equal normal forms, so desired and present compare as text.
"""

from __future__ import annotations

import re
from datetime import timedelta

from shared.errors import Invalid

NO_DURATION = frozenset({"", "none", "never", "unlimited", "disabled", "auto", "not-yet-running"})
"""Words that stand where a duration could stand (idle-timeout, last-seen, max-sessions …)."""

_UNITS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
    "us": timedelta(microseconds=1),
}
_PART = r"(\d+)(w|d|h|ms|us|m|s)"
_PARTS = re.compile(_PART, re.ASCII)
_FORM = re.compile(
    rf"(?P<parts>(?:{_PART})*)\s*(?:(?P<h>\d+):(?P<m>\d\d?)(?::(?P<s>\d\d?(?:\.\d{{1,6}})?))?)?",
    re.ASCII,
)


def parse_duration(text: str) -> timedelta:
    """Read any form a router prints or accepts. Raises Invalid."""
    bare = text.strip()
    if bare.isascii() and bare.isdigit():
        return timedelta(seconds=int(bare))
    found = _FORM.fullmatch(bare)
    if not bare or found is None:
        raise Invalid(f"not a RouterOS duration: {text!r}")
    total = timedelta()
    for amount, unit in _PARTS.findall(found["parts"]):
        total += int(amount) * _UNITS[unit]
    if found["h"] is not None:
        total += timedelta(hours=int(found["h"]), minutes=int(found["m"]), seconds=float(found["s"] or 0))
    return total


def optional_duration(text: str | None) -> timedelta | None:
    """Like `parse_duration`, with None for an absent property and for `none`, `never`, `unlimited` …"""
    if text is None or text in NO_DURATION:
        return None
    return parse_duration(text)


def format_duration(length: timedelta) -> str:
    """The normal form. Raises Invalid for a negative length."""
    if length < timedelta():
        raise Invalid(f"a duration cannot be negative: {length}")
    parts = []
    for unit, size in _UNITS.items():
        amount, length = divmod(length, size)
        if amount:
            parts.append(f"{amount}{unit}")
    return "".join(parts) or "0s"


def normal_duration(text: str) -> str:
    """The normal form of a duration in any form; words such as `none` stay what they are. Raises Invalid."""
    return text if text in NO_DURATION else format_duration(parse_duration(text))
