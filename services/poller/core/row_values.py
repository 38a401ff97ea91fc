"""Single values of a router's rows. What cannot be read is not there; nothing here raises."""

from __future__ import annotations

from shared.errors import Invalid
from shared.routeros import Row, printable
from shared.routeros.durations import optional_duration


def text(row: Row, name: str) -> str:
    """A value for people's eyes."""
    return printable(row.get(name, ""))


def flag(row: Row, name: str) -> bool:
    """Set or not; a word nobody knows counts as not."""
    return row.get(name) in ("true", "yes")


def whole(row: Row, name: str) -> int | None:
    """A whole number, also where a unit follows (`2048KiB`); None where there is none."""
    digits = row.get(name, "").removesuffix("KiB").removesuffix("%").replace(" ", "")
    return int(digits) if digits.isascii() and digits.isdigit() else None


def seconds(row: Row, name: str) -> float | None:
    """A duration in seconds; None where there is none or the word says so (`never`)."""
    try:
        length = optional_duration(row.get(name))
    except Invalid:
        return None
    return None if length is None else length.total_seconds()


def split(row: Row, name: str) -> list[str]:
    """A list as the router writes it, with commas."""
    return [part for part in text(row, name).split(",") if part]


def decimal(written: str) -> float | None:
    try:
        return float(written)
    except ValueError:
        return None
