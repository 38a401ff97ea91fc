"""`ronda owner` and `ronda keys`: who may log in first, and what seals passwords."""

from __future__ import annotations

import typer

from shared.security.sealing import generate_key

keys = typer.Typer(help="Keys that seal router and account passwords.", no_args_is_help=True)


@keys.command("new")
def new_key(name: str = "k1") -> None:
    """Make a key for RONDA_SEAL_KEYS. To replace keys, put the new one first and keep the old ones behind it."""
    typer.echo(generate_key(name))
