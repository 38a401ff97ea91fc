"""`ronda owner` and `ronda keys`: who may log in first, and what seals passwords."""

from __future__ import annotations

import asyncio
import json
import os
from typing import Annotated

import typer

from services.api.adapters.opening import open_store
from services.api.adapters.passwords import Argon2Hasher
from services.api.cli.connection import keep_token, local_variables
from services.api.core.faults import NameTaken
from services.api.core.rights import Scope
from services.api.handlers.people import FirstOwner, create_owner, give_new_password, make_token_for
from services.api.ports import Store
from services.api.settings import ApiSettings
from shared.clock import SystemClock
from shared.config import load
from shared.security.sealing import generate_key

keys = typer.Typer(help="Keys that seal router and account passwords.", no_args_is_help=True)

_TOKEN_NAME = "command line"  # noqa: S105 - what the token is called


@keys.command("new")
def new_key(name: str = "k1") -> None:
    """Make a key for RONDA_SEAL_KEYS. To replace keys, put the new one first and keep the old ones behind it."""
    typer.echo(generate_key(name))


def owner(
    login: Annotated[str, typer.Option(help="With what name to log in.")] = "owner",
    reset: Annotated[bool, typer.Option(help="Give an owner that exists a new password.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: login, password and token as JSON.")] = False,
) -> None:
    """Make the owner, and a token for this command line. Works on the server itself, where the database is."""
    for name, value in local_variables("api").items():
        os.environ.setdefault(name, value)
    made, token = asyncio.run(_make(load(ApiSettings), login, reset))
    if as_json:
        typer.echo(json.dumps({"login": made.login, "password": made.password, "token": token}))
        return
    # Said before anything can fail: nobody can show it again.
    typer.echo(f"log in as {made.login}, password {made.password}")
    typer.echo(f"shown this once; the command line's token is kept in {keep_token(token)}")


async def _make(settings: ApiSettings, login: str, reset: bool) -> tuple[FirstOwner, str]:
    clock = SystemClock()
    async with open_store(settings, clock) as store:
        made = await _reset_or_create(login, reset, store)
        scopes = frozenset(Scope)
        return made, await make_token_for(login=login, name=_TOKEN_NAME, scopes=scopes, store=store, clock=clock)


async def _reset_or_create(login: str, reset: bool, store: Store) -> FirstOwner:
    clock, hasher = SystemClock(), Argon2Hasher()
    if reset:
        return await give_new_password(login=login, store=store, hasher=hasher, clock=clock)
    try:
        return await create_owner(login=login, store=store, hasher=hasher, clock=clock)
    except NameTaken as taken:
        raise NameTaken(f"{taken} To give them a new password: ronda owner --login {login} --reset") from taken
