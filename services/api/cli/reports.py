"""`ronda report …`: how it was."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from services.api.cli.connection import connected
from services.api.cli.output import show_rows

reports = typer.Typer(help="How it was over a month.", no_args_is_help=True)


@reports.callback()
def group() -> None:
    """Keeps `report` a group while it has one command."""


@reports.command("availability")
def availability(
    month: Annotated[str, typer.Option(help="Like 2026-11, in UTC; the present one if not given.")] = "",
    site: Annotated[str | None, typer.Option(help="Only this site.")] = None,
) -> None:
    """Availability and quality of every host. Programs take the CSV of /api/v1/reports/availability."""
    with connected() as api:
        path = "/api/v1/reports/availability"
        if site:
            path = f"/api/v1/sites/{api.named('/api/v1/sites', site)['id']}/availability"
        found = api.get(path, **({"month": month} if month else {}))
    show_rows([_line(row) for row in found["hosts"]], *_COLUMNS)
    all_of_them = found["together"]["availability_percent"]
    typer.echo(f"{found['month']}, {found['from']} to {found['to']}: {_percent(all_of_them)} of what was seen")


_COLUMNS = ("site", "host", "available", "down", "unreachable", "unknown", "maintenance", "outages", "grade")


def _line(row: dict[str, Any]) -> dict[str, Any]:
    found, quality = row["availability"], row["quality"]
    return {
        "site": row["site_name"],
        "host": row["name"],
        "available": _percent(found["availability_percent"]),
        **{name: _length(found[f"{name}_s"]) for name in ("down", "unreachable", "unknown", "maintenance")},
        "outages": found["outages"],
        "grade": quality and quality["grade"],
    }


def _percent(value: float | None) -> str:
    """Cut and not rounded: 99.9996 % is not all of the time."""
    return "-" if value is None else f"{int(value * 1000) / 1000:.3f} %"


def _length(seconds: float) -> str:
    minutes, left = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{left:02}"
