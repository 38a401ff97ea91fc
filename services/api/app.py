"""The HTTP application: REST, stream and console on one address, with the same security around all of it."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI

from services.api.console import (
    actions,
    board,
    customers,
    login,
    network,
    router_limits,
    router_page,
    settings,
    static_files,
    works,
)
from services.api.console import groups as group_pages
from services.api.console import hosts as host_page
from services.api.console import policies as policy_pages
from services.api.console import search as search_page
from services.api.console.deps import LogInFirst, lead_to_login
from services.api.console.rendering import Pages
from services.api.deps import Parts
from services.api.handlers.board import BoardWatch
from services.api.routes import (
    accounts,
    alerts,
    chats,
    groups,
    health,
    history,
    hosts,
    ingest,
    maintenances,
    measured,
    people,
    policies,
    router_live,
    routers,
    search,
    sites,
    stream,
)
from services.api.routes.problems import PROBLEM_RESPONSES, describe_problems, install_problems
from services.api.security import SecurityHeaders

DESCRIPTION = """
Ronda's REST interface. Log in with `Authorization: Bearer <token>`.

Lists are pages: ask again with `cursor=next_cursor`. Errors are `application/problem+json` with a stable `code` and a
sentence that says what to do. A POST with an `Idempotency-Key` may be repeated. Changes of accounts are answered with
202 and travel to the router; follow them by `apply_state`, or by `account.applied` and `account.failed` in `/stream`.
"""


WATCHED = (network, host_page, router_limits, router_page, works, group_pages, policy_pages)
PAGES = (login, board, actions, *WATCHED, customers, search_page, settings)


def make_app(parts: Parts | None) -> FastAPI:
    """The application; without parts it only describes itself."""
    app = FastAPI(
        title="Ronda",
        version="1",
        description=DESCRIPTION,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # its page loads scripts from another host
        redoc_url=None,
    )
    api = APIRouter(prefix="/api/v1", responses=PROBLEM_RESPONSES)
    inventory = (sites, groups, routers, router_live, ingest, hosts, policies, maintenances, chats)
    resources = (*inventory, measured, accounts, alerts, history, search, stream, people, health)
    for resource in resources:
        api.include_router(resource.router)
    app.include_router(api)
    app.include_router(ingest.routers_say, responses=PROBLEM_RESPONSES)
    for page in (*PAGES, static_files):
        app.include_router(page.router)
    app.add_middleware(SecurityHeaders)
    install_problems(app)
    describe = app.openapi
    app.openapi = lambda: app.openapi_schema or describe_problems(describe())  # type: ignore[method-assign]
    app.add_exception_handler(LogInFirst, lead_to_login)
    if parts is not None:
        app.state.parts = parts
        app.state.pages = Pages(clock=parts.clock, language=parts.language, time_zone=parts.time_zone)
        app.state.board_watch = BoardWatch(parts.store, parts.bell, parts.clock)
    return app
