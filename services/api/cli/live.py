"""`ronda router leases|pools|ping …`: what a router says now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from services.api.cli.connection import Api, connected
from services.api.cli.output import show_rows, show_values

Name = Annotated[str, typer.Argument(help="The router's name or id.")]
Search = Annotated[str, typer.Option(help="Only rows with these letters.")]
Limit = Annotated[int, typer.Option(min=1, max=500, help="Most rows.")]
Offset = Annotated[int, typer.Option(min=0, help="Rows to pass over.")]
Address = Annotated[str, typer.Argument(help="What the router shall reach.")]

TABLES: dict[str, tuple[str, tuple[str, ...]]] = {
    "leases": (
        "DHCP leases.",
        ("address", "mac", "host_name", "server", "status", "expires_s", "dynamic", "comment"),
    ),
    "addresses": ("Addresses of the router itself.", ("address", "network", "interface", "dynamic", "comment")),
    "pools": ("Address pools and their use.", ("name", "used", "total", "used_percent", "ranges")),
    "interfaces": ("Interfaces and their state.", ("name", "kind", "running", "disabled", "mac", "link_downs")),
    "traffic": (
        "Traffic in this second; interfaces of sessions with --search.",
        ("name", "rx_bps", "tx_bps", "rx_pps", "tx_pps", "drops_pps", "errors_pps"),
    ),
    "neighbors": (
        "Devices that the router sees.",
        ("identity", "address", "mac", "interface", "platform", "board", "version"),
    ),
}
"""Command → what it shows, and its columns; the same word is the end of the path."""


def add_live_commands(routers: typer.Typer, hosts: typer.Typer) -> None:
    """Hang the live questions below `ronda router` and `ronda host`."""
    for table, (summary, columns) in TABLES.items():
        routers.command(table, help=f"{summary} Asked now.")(_table_command(table, columns))
    for command in (dns, resources, ping, traceroute):
        routers.command()(command)
    hosts.command("traceroute")(trace_host)


def _table_command(table: str, columns: tuple[str, ...]) -> Callable[..., None]:
    def show(name: Name, search: Search = "", limit: Limit = 100, offset: Offset = 0) -> None:
        with connected() as api:
            answer = api.get(f"{_path(api, name)}/{table}", search=search, limit=limit, offset=offset)
        show_rows(answer["rows"], *columns)
        if answer["truncated"]:
            following = answer["offset"] + len(answer["rows"])
            typer.secho(f"{answer['total']} rows; go on with --offset {following}", fg="yellow", err=True)

    return show


def dns(name: Name) -> None:
    """How the router resolves names. Asked now."""
    with connected() as api:
        answer = api.get(f"{_path(api, name)}/dns")
    show_values(answer, *answer)


def resources(name: Name) -> None:
    """Load, memory, disk and sensors. Asked now."""
    with connected() as api:
        answer = api.get(f"{_path(api, name)}/resources")
    sensors = answer.pop("sensors")
    show_values(answer, *answer)
    for sensor in sensors:
        typer.echo(f"{sensor['name']}  {sensor['value']}{sensor['unit']}")


def ping(
    name: Name,
    address: Annotated[str, typer.Argument(help="What the router shall ping; empty: ping the router itself.")] = "",
    count: Annotated[int, typer.Option(min=1, max=20)] = 4,
) -> None:
    """Ping an address from the router, or the router itself."""
    with connected() as api:
        body = {"address": address, "count": count} if address else None
        answer = api.post(f"{_path(api, name)}/ping", body)
    show_values(answer, "target", "sent", "received", "loss_percent", "rtt_min_ms", "rtt_avg_ms", "rtt_max_ms")


def traceroute(name: Name, address: Address) -> None:
    """The way from the router to an address."""
    with connected() as api:
        _show_route(api.post(f"{_path(api, name)}/traceroute", {"address": address}))


def trace_host(name: Annotated[str, typer.Argument(help="The host's name or id.")]) -> None:
    """The way from the poller to a watched host."""
    with connected() as api:
        _show_route(api.post(f"/api/v1/hosts/{api.named('/api/v1/hosts', name)['id']}/traceroute"))


def _show_route(route: dict[str, Any]) -> None:
    show_rows(route["hops"], "number", "address", "rtt_ms", "loss_percent")
    if not route["reached"]:
        typer.secho(f"{route['target']} was not reached", fg="yellow", err=True)


def _path(api: Api, name: str) -> str:
    return f"/api/v1/routers/{api.named('/api/v1/routers', name)['id']}"
