"""All commands of `ronda`, and how their failures read."""

from __future__ import annotations

import logging
import sys

import structlog
import typer

from services.api.cli.accounts import accounts
from services.api.cli.dead_letters import dead_letters
from services.api.cli.inventory import chats, routers, sites
from services.api.cli.live import add_live_commands
from services.api.cli.people import keys, owner
from services.api.cli.reports import reports
from services.api.cli.watching import groups, hosts, maintenances, policies
from shared.errors import RondaError

app = typer.Typer(
    help="Ronda, the night watch of MikroTik networks. First steps: owner, site add, router add, chat add, chat test.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("owner")(owner)
app.add_typer(sites, name="site")
add_live_commands(routers, hosts)
app.add_typer(routers, name="router")
app.add_typer(hosts, name="host")
app.add_typer(groups, name="group")
app.add_typer(policies, name="policy")
app.add_typer(maintenances, name="maintenance")
app.add_typer(chats, name="chat")
app.add_typer(accounts, name="account")
app.add_typer(reports, name="report")
app.add_typer(dead_letters, name="dlq")
app.add_typer(keys, name="keys")


def main() -> None:
    """Run a command; an expected failure is one sentence and exit code 1, never a traceback."""
    # What a command answers goes to standard output, and nothing else may.
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
    try:
        app()
    except RondaError as failure:
        typer.secho(str(failure), fg="red", err=True)
        sys.exit(1)
