"""`ronda site|router|chat …`: what the network consists of, and who is told."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from services.api.cli.connection import Api, connected
from services.api.cli.output import show_rows, show_values
from shared.contracts.vocabulary import Channel, Language, Role, Subscription, TlsMode

sites = typer.Typer(help="Places: districts, towers, villages.", no_args_is_help=True)
routers = typer.Typer(help="MikroTik routers: add, test, list.", no_args_is_help=True)
chats = typer.Typer(help="Who is told, and who may ask.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Its name or id.")]
Password = Annotated[
    str,
    typer.Option(prompt=True, hide_input=True, envvar="RONDA_ROUTER_PASSWORD", help="Asked for when it is not given."),
]


@sites.command("add")
def add_site(name: Annotated[str, typer.Argument(help="For example: Waru.")], policy: str = "standard") -> None:
    """Add a site. Policies of its hosts: infra (1 s), standard (10 s), edge (60 s)."""
    with connected() as api:
        show_values(api.post("/api/v1/sites", {"name": name, "policy": policy}), "id", "name", "policy")


@sites.command("list")
def list_sites() -> None:
    """List the sites."""
    with connected() as api:
        show_rows(api.every("/api/v1/sites"), "name", "policy", "id")


def _site_id(api: Api, name: str | None) -> str | None:
    return str(api.named("/api/v1/sites", name)["id"]) if name else None


def _address(host: str, port: int | None, tls: TlsMode, user: str, password: str) -> dict[str, Any]:
    return {"host": host, "port": port, "tls": tls, "username": user, "password": password}


@routers.command("try")
def try_router(
    host: Annotated[str, typer.Argument(help="Address or name.")],
    user: Annotated[str, typer.Option()],
    password: Password,
    port: int | None = None,
    tls: TlsMode = TlsMode.OFF,
) -> None:
    """Log in to a router without adding it, and say what was found."""
    with connected() as api:
        _show_found(api.post("/api/v1/routers/test", _address(host, port, tls, user, password)))


@routers.command("add")
def add_router(
    name: Annotated[str, typer.Argument(help="What people call it.")],
    host: Annotated[str, typer.Option(help="Address or name.")],
    user: Annotated[str, typer.Option()],
    password: Password,
    port: int | None = None,
    tls: TlsMode = TlsMode.OFF,
    site: str | None = None,
) -> None:
    """Add a router and test it."""
    with connected() as api:
        body = {**_address(host, port, tls, user, password), "name": name, "site_id": _site_id(api, site)}
        router = api.post("/api/v1/routers", body)
        typer.echo(f"added {router['name']} ({router['id']})")
        _show_found(api.post(f"/api/v1/routers/{router['id']}/test"))


@routers.command("test")
def test_router(name: Name) -> None:
    """Log in to a registered router and say what was found."""
    with connected() as api:
        router = api.named("/api/v1/routers", name)
        _show_found(api.post(f"/api/v1/routers/{router['id']}/test"))


def _show_found(found: dict[str, Any]) -> None:
    show_values(found, "identity", "board", "version", "uptime_s", "hotspot_users", "ppp_secrets", "took_ms")
    if found["missing_policies"]:
        typer.secho(f"this user lacks the policies: {', '.join(found['missing_policies'])}", fg="yellow")


@routers.command("list")
def list_routers() -> None:
    """List the routers with their state."""
    with connected() as api:
        show_rows(api.every("/api/v1/routers"), "name", "state", "host", "port", "id")


@routers.command("token")
def make_ingest_token(name: Name) -> None:
    """Make a secret by which a router may tell Ronda things, and show the scripts that use it. Shown this once."""
    with connected() as api:
        router = api.named("/api/v1/routers", name)
        made = api.post(f"/api/v1/routers/{router['id']}/ingest-tokens")
        show_values(made, "id", "secret")
        _show_scripts(made["scripts"])


@routers.command("tokens")
def list_ingest_tokens(name: Name) -> None:
    """List a router's secrets, without the secrets themselves."""
    with connected() as api:
        router = api.named("/api/v1/routers", name)
        show_rows(api.every(f"/api/v1/routers/{router['id']}/ingest-tokens"), "id", "created_at", "created_by")


@routers.command("revoke")
def revoke_ingest_token(name: Name, token_id: Annotated[str, typer.Argument(help="Its id, see `tokens`.")]) -> None:
    """Take a router's secret back. To replace one: `token`, paste the new scripts, then `revoke` the old one."""
    with connected() as api:
        router = api.named("/api/v1/routers", name)
        api.delete(f"/api/v1/routers/{router['id']}/ingest-tokens/{token_id}")
        typer.echo("revoked")


@routers.command("scripts")
def show_router_scripts(name: Name) -> None:
    """Show the scripts to paste into a router, with TOKEN where its secret belongs."""
    with connected() as api:
        router = api.named("/api/v1/routers", name)
        _show_scripts(api.every(f"/api/v1/routers/{router['id']}/scripts"))


def _show_scripts(scripts: list[dict[str, Any]]) -> None:
    for script in scripts:
        typer.echo(f"\n# {script['where']}\n# {script['note']}\n{script['source']}")


@chats.command("add")
def add_chat(
    name: Annotated[str, typer.Argument(help="Who it is.")],
    channel: Annotated[Channel, typer.Option()],
    address: Annotated[str, typer.Option(help="Telegram chat id, or phone number.")],
    role: Role = Role.NOC,
    language: Language = Language.INDONESIAN,
    time_zone: str = "Asia/Jakarta",
    receives: Annotated[list[Subscription] | None, typer.Option(help="What it is told; may be repeated.")] = None,
) -> None:
    """Add a chat. Without --receives it is told alerts."""
    told = receives or [Subscription.ALERTS]
    body = {"name": name, "channel": channel, "address": address, "role": role, "language": language}
    with connected() as api:
        chat = api.post("/api/v1/chats", {**body, "time_zone": time_zone, "receives": told})
        show_values(chat, "id", "name", "channel", "address", "role")


@chats.command("test")
def test_chat(name: Name) -> None:
    """Send a test message to a chat."""
    with connected() as api:
        chat = api.named("/api/v1/chats", name)
        accepted = api.post(f"/api/v1/chats/{chat['id']}/test")
        typer.echo(f"sent; the chat server calls it {accepted['provider_message_id']}")


@chats.command("list")
def list_chats() -> None:
    """List the chats."""
    with connected() as api:
        show_rows(api.every("/api/v1/chats"), "name", "channel", "address", "role", "language", "id")
