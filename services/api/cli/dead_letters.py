"""`ronda dlq …`: messages that could not be handled; look at them, try them again, throw them away."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import TypeVar

import typer

from services.api.cli.connection import local_variables
from services.api.cli.output import show_rows, show_values
from shared.bus.dead_letters import DeadLetter, DeadLetters
from shared.bus.nats.bus import NatsBus
from shared.clock import SystemClock
from shared.errors import Misconfigured

dead_letters = typer.Typer(help="Messages that could not be handled.", no_args_is_help=True)

T = TypeVar("T")


def _with_letters(do: Callable[[DeadLetters], Awaitable[T]]) -> T:
    url = os.environ.get("RONDA_NATS_URL") or local_variables("operator").get("RONDA_NATS_URL")
    if not url:
        raise Misconfigured("set RONDA_NATS_URL to the bus, with a user that may read the stream DLQ")

    async def run() -> T:
        async with NatsBus.connect(url, name="ronda-cli", source="cli", clock=SystemClock()) as bus:
            return await do(DeadLetters(bus))

    return asyncio.run(run())


@dead_letters.command("list")
def list_letters(stream: str | None = None, consumer: str | None = None) -> None:
    """What is there, oldest first."""
    letters = _with_letters(lambda found: found.list(stream=stream, consumer=consumer))
    rows = [
        {
            "number": letter.sequence,
            "died_at": f"{letter.died_at:%Y-%m-%d %H:%M:%S}",
            "consumer": letter.consumer,
            "type": letter.message_type,
            "reason": letter.reason[:80],
        }
        for letter in letters
    ]
    show_rows(rows, "number", "died_at", "consumer", "type", "reason")


@dead_letters.command("show")
def show(number: int) -> None:
    """One message with its reason, headers and body."""
    letter: DeadLetter = _with_letters(lambda found: found.show(number))
    fields = ("stream", "consumer", "subject", "code", "reason", "tries", "died_at")
    show_values({field: getattr(letter, field) for field in fields}, *fields)
    typer.echo("")
    for name, value in letter.headers.items():
        typer.echo(f"{name}: {value}")
    typer.echo(f"\n{letter.body.decode(errors='replace')}")


@dead_letters.command("replay")
def replay(number: int) -> None:
    """Publish the message again under its own subject and take it off the list."""
    _with_letters(lambda found: found.replay(number))
    typer.echo(f"{number} is on its way again")


@dead_letters.command("remove")
def remove(number: int) -> None:
    """Throw the message away."""
    _with_letters(lambda found: found.remove(number))
    typer.echo(f"{number} is gone")
