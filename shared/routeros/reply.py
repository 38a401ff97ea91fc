"""What a router answers, as text exactly as the router holds it: nothing is ever cast.

Bytes that are not UTF-8 (WinBox stores the code page of the PC it runs on) live in the text as surrogate
escapes, so every byte survives a round trip. Use `printable` before such text leaves for people, JSON or a
database, never before writing it back to a router.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Row = dict[str, str]
"""Property name → value. A property that has no value is absent, which differs from an empty one."""


@dataclass(frozen=True)
class Reply:
    """A finished command: its rows, and `ret` of the closing sentence (a new id, a count, a value)."""

    rows: list[Row] = field(default_factory=list)
    ret: str | None = None


@dataclass(frozen=True)
class RowChanged:
    """A row was added or changed; `row` holds all asked properties that have a value."""

    row: Row

    @property
    def id(self) -> str:
        return self.row.get(".id", "")


@dataclass(frozen=True)
class RowGone:
    """A row was removed. Only `id` is sure; `row` holds what else the router said (usually nothing)."""

    id: str
    row: Row = field(default_factory=dict)


Change = RowChanged | RowGone


def change_of(row: Row) -> Change:
    """Read one row of a listen. Removed rows say `.dead=true` on 7.23 and `.dead=yes` on old routers."""
    if row.get(".dead") not in {"true", "yes"}:
        return RowChanged(row)
    rest = {name: value for name, value in row.items() if name not in {".id", ".dead"}}
    return RowGone(row.get(".id", ""), rest)


def printable(text: str) -> str:
    """Text that is safe to show and to store: escaped bytes are read as latin-1."""
    return "".join(
        chr(ord(character) - 0xDC00) if "\udc80" <= character <= "\udcff" else character for character in text
    )
