"""Durations and dates in the forms RouterOS takes and gives."""

from __future__ import annotations

import re
from datetime import datetime

UNIT_S = {"w": 604800.0, "d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "us": 0.000001}
PART = re.compile(r"(\d+(?:\.\d+)?)(ms|us|[wdhms])", re.ASCII)
COLONS = re.compile(r"(?:(\d+)w)?(?:(\d+)d)? ?(\d+):(\d{1,2})(?::(\d{1,2}(?:\.\d+)?))?", re.ASCII)
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


def parse_duration(text: str) -> float | None:
    """Seconds of `1w2d3h4m5s`, `90m`, `200ms`, `1:00:00`, `1d 00:00:00` or plain seconds; None if it is
    none of them."""
    if text.isdecimal() and text.isascii():
        return float(text)
    if colons := COLONS.fullmatch(text):
        weeks, days, hours, minutes, seconds = (float(part or 0) for part in colons.groups())
        return weeks * 604800 + days * 86400 + hours * 3600 + minutes * 60 + seconds
    total, end = 0.0, 0
    for part in PART.finditer(text):
        if part.start() != end:
            return None
        total += float(part[1]) * UNIT_S[part[2]]
        end = part.end()
    return total if end and end == len(text) else None


def format_duration(seconds: float) -> str:
    """The router's normal form: `3w2d19h6m3s`, zero parts left out, `0s` for nothing, `1s30ms`, `453us`."""
    micros = max(0, round(seconds * 1_000_000))
    whole, rest = divmod(micros, 1_000_000)
    text = ""
    for unit, size in (("w", 604800), ("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, whole = divmod(whole, size)
        if count:
            text += f"{count}{unit}"
    millis, micros = divmod(rest, 1000)
    if millis:
        text += f"{millis}ms"
    if micros:
        text += f"{micros}us"
    return text or "0s"


def whole_duration(seconds: float) -> str:
    """As `format_duration`, cut to whole seconds as uptimes are."""
    return format_duration(int(seconds))


def format_date(when: datetime, *, iso: bool) -> str:
    """`2023-07-14` from RouterOS 7.10 on (`iso`), `jul/14/2023` before."""
    return f"{when:%Y-%m-%d}" if iso else f"{MONTHS[when.month - 1]}/{when:%d/%Y}"


def format_datetime(when: datetime, *, iso: bool) -> str:
    """Date and time of day, in the form of the version."""
    return f"{format_date(when, iso=iso)} {when:%H:%M:%S}"


def format_log_time(when: datetime, now: datetime, *, iso: bool) -> str:
    """The shortened form of log times and v6 next-run: time today, month and day this year, else
    everything."""
    if iso:
        return format_datetime(when, iso=True)
    if when.date() == now.date():
        return f"{when:%H:%M:%S}"
    if when.year == now.year:
        return f"{MONTHS[when.month - 1]}/{when:%d %H:%M:%S}"
    return format_datetime(when, iso=False)


def parse_date(text: str) -> tuple[int, int, int] | None:
    """Year, month, day of either form of date; None if it is neither."""
    if found := re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})", text, re.ASCII):
        return int(found[1]), int(found[2]), int(found[3])
    found = re.fullmatch(r"([A-Za-z]{3})/(\d{1,2})/(\d{4})", text, re.ASCII)
    if found and found[1].lower() in MONTHS:
        return int(found[3]), MONTHS.index(found[1].lower()) + 1, int(found[2])
    return None
