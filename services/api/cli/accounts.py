"""`ronda account …`: subscribers on the routers."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from services.api.cli.connection import Api, connected
from services.api.cli.output import show_rows, show_values
from shared.contracts.vocabulary import AccountStatus, Service

accounts = typer.Typer(help="Hotspot and PPP accounts: add, change, switch off and on, delete.", no_args_is_help=True)

_WAIT_S = 10.0
_LOOK_EVERY_S = 0.1

Name = Annotated[str, typer.Argument(help="The user's name on the router, or our id.")]


@accounts.command("add")
def add(
    name: Annotated[str, typer.Argument(help="The user's name on the router.")],
    router: Annotated[str, typer.Option()],
    service: Annotated[Service, typer.Option()],
    profile: Annotated[str, typer.Option()],
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, envvar="RONDA_ACCOUNT_PASSWORD")],
    phone: str | None = None,
    full_name: str = "",
) -> None:
    """Make an account and wait until the router has it."""
    body = {"name": name, "service": service, "profile": profile, "password": password, "phone": phone}
    with connected() as api:
        router_id = api.named("/api/v1/routers", router)["id"]
        _wait(api, api.post("/api/v1/accounts", {**body, "router_id": router_id, "full_name": full_name}))


@accounts.command("profile")
def change_profile(name: Name, profile: str) -> None:
    """Move an account to another profile."""
    _change(name, {"profile": profile})


@accounts.command("password")
def change_password(
    name: Name,
    password: Annotated[
        str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True, envvar="RONDA_ACCOUNT_PASSWORD")
    ],
) -> None:
    """Give an account a new password."""
    _change(name, {"password": password})


@accounts.command("disable")
def disable(name: Name) -> None:
    """Switch an account off; its running session is closed."""
    _change(name, {"status": AccountStatus.DISABLED})


@accounts.command("enable")
def enable(name: Name) -> None:
    """Switch an account on again."""
    _change(name, {"status": AccountStatus.ACTIVE})


@accounts.command("delete")
def delete(name: Name) -> None:
    """Remove an account from the router and from Ronda."""
    with connected() as api:
        api.delete(f"/api/v1/accounts/{api.named('/api/v1/accounts', name)['id']}")
        typer.echo("the router will be told")


@accounts.command("list")
def list_accounts() -> None:
    """List the accounts and whether the router has them as wanted."""
    with connected() as api:
        show_rows(api.every("/api/v1/accounts"), "name", "service", "profile", "status", "apply_state", "phone", "id")


def _change(name: str, change: dict[str, Any]) -> None:
    with connected() as api:
        account = api.named("/api/v1/accounts", name)
        _wait(api, api.patch(f"/api/v1/accounts/{account['id']}", change))


def _wait(api: Api, account: dict[str, Any]) -> None:
    """Say what became of the change; a router that is off is not a failure."""
    deadline = time.monotonic() + _WAIT_S
    while account["apply_state"] == "pending" and time.monotonic() < deadline:
        time.sleep(_LOOK_EVERY_S)
        account = api.get(f"/api/v1/accounts/{account['id']}")
    show_values(account, "id", "name", "profile", "status", "apply_state", "took_ms")
    if account["apply_state"] == "pending":
        typer.echo("the router does not answer now; it gets this as soon as it is back")
    if failure := account.get("failure"):
        typer.secho(f"the router says: {failure['router_words']}\n{failure['advice']}", fg="red", err=True)
        raise typer.Exit(1)
