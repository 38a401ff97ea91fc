"""What console pages may ask for. A browser that is not logged in is led to the log-in page, not to an error."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request
from starlette.responses import RedirectResponse, Response

from services.api.console.rendering import Pages
from services.api.core.faults import NotAuthenticated
from services.api.core.rights import Caller, Scope
from services.api.deps import Allowed, PartsDep, current_caller


def pages(request: Request) -> Pages:
    """The console's templates."""
    found: Pages = request.app.state.pages
    return found


PagesDep = Annotated[Pages, Depends(pages)]


class LogInFirst(NotAuthenticated):
    """A page was asked for by somebody who is not logged in."""


async def visitor(request: Request, api: PartsDep) -> Caller:
    """Who looks at a page. Raises LogInFirst."""
    try:
        return await current_caller(request, api)
    except NotAuthenticated as unknown:
        raise LogInFirst(str(unknown)) from unknown


class Visitor(Allowed):
    """As `Allowed`, for pages."""

    async def __call__(self, caller: Annotated[Caller, Depends(visitor)]) -> Caller:
        return await super().__call__(caller)


AnyVisitor = Annotated[Caller, Depends(Visitor(None))]
PageReader = Annotated[Caller, Depends(Visitor(Scope.READ))]
PageAlertKeeper = Annotated[Caller, Depends(Visitor(Scope.ALERTS))]
PageAccountKeeper = Annotated[Caller, Depends(Visitor(Scope.ACCOUNTS))]
PageInventoryKeeper = Annotated[Caller, Depends(Visitor(Scope.INVENTORY))]


async def lead_to_login(request: Request, _: Exception) -> Response:
    """Answer LogInFirst: to the log-in page, and back to where one wanted to go."""
    wanted = request.url.path if request.method == "GET" else "/console"
    return RedirectResponse(f"/console/login?next={quote(wanted)}", status_code=303)
