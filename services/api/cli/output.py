"""Plain columns for people and pipes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import typer


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    return str(value)


def show_values(item: Mapping[str, Any], *fields: str) -> None:
    """One value per line."""
    width = max(map(len, fields))
    for field in fields:
        typer.echo(f"{field:<{width}}  {_text(item.get(field))}")


def show_rows(items: Sequence[Mapping[str, Any]], *fields: str) -> None:
    """One item per line under a head of field names."""
    rows = [fields, *([_text(item.get(field)) for field in fields] for item in items)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(fields))]
    for row in rows:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
