"""The log-in page, and the way out."""

from __future__ import annotations

import hmac
import secrets
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from services.api.console.deps import AnyVisitor, PagesDep
from services.api.core.faults import NotAuthenticated, TooManyAttempts
from services.api.deps import SESSION_COOKIE, Parts, PartsDep
from services.api.handlers import people
from services.api.handlers.people import LoggedIn

router = APIRouter(prefix="/console", include_in_schema=False)
FORM_COOKIE = "ronda_form"


@router.get("/login")
async def show_login(request: Request, api: PartsDep, pages: PagesDep, next: str = "/console") -> Response:  # noqa: A002 - the parameter's public name
    """The form."""
    return await _form(request, api, pages, next_=next)


@router.post("/login")
async def log_in(
    request: Request,
    api: PartsDep,
    pages: PagesDep,
    login: Annotated[str, Form(max_length=64)] = "",
    password: Annotated[str, Form(max_length=256)] = "",
    csrf: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/console",  # noqa: A002 - the field's public name
) -> Response:
    """Open a session, or show the form again with what was wrong."""
    words = pages.words(pages.reader(request))
    known = request.cookies.get(FORM_COOKIE, "")
    if not known or not hmac.compare_digest(known.encode(), csrf.encode()):
        trouble = words.gettext("This form was too old. Please try again.")
        return await _form(request, api, pages, next_=next, login=login, trouble=trouble, status=403)
    try:
        logged_in = await people.log_in(
            login=login.strip(),
            password=password,
            address=request.client.host if request.client else "unknown",
            store=api.store,
            hasher=api.hasher,
            throttle=api.throttle,
            clock=api.clock,
        )
    except TooManyAttempts as many:
        minutes = max(1, round((many.retry_after or 60) / 60))
        trouble = words.ngettext(
            "Too many wrong passwords. Wait {count} minute.", "Too many wrong passwords. Wait {count} minutes.", minutes
        )
        return await _form(request, api, pages, next_=next, login=login, trouble=trouble, status=429)
    except NotAuthenticated:
        trouble = words.gettext("This login and password do not belong together.")
        return await _form(request, api, pages, next_=next, login=login, trouble=trouble, status=401)
    return _enter(logged_in, next, api)


@router.post("/logout")
async def log_out(api: PartsDep, caller: AnyVisitor) -> Response:
    """End the session."""
    await people.log_out(caller, store=api.store)
    answer = RedirectResponse("/console/login", status_code=303)
    answer.delete_cookie(SESSION_COOKIE, path="/")
    return answer


async def _form(
    request: Request,
    api: Parts,
    pages: PagesDep,
    *,
    next_: str,
    login: str = "",
    trouble: str | None = None,
    status: int = 200,
) -> Response:
    # Before there is a session, the cookie and the hidden field vouch for each other.
    csrf = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(24)
    answer = pages.page(
        "login.html",
        request,
        status=status,
        csrf=csrf,
        next=_own_page(next_),
        login=login,
        trouble=trouble,
        nobody=not await people.has_people(api.store),
    )
    answer.set_cookie(
        FORM_COOKIE, csrf, path="/console/login", httponly=True, samesite="strict", secure=api.secure_cookies
    )
    return answer


def _enter(logged_in: LoggedIn, next_: str, api: Parts) -> Response:
    answer = RedirectResponse(_own_page(next_), status_code=303)
    answer.set_cookie(
        SESSION_COOKIE,
        logged_in.cookie,
        max_age=int(people.SESSION_LIFE.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",  # strict would lose the session for who follows a link from a chat
        secure=api.secure_cookies,
    )
    return answer


def _own_page(path: str) -> str:
    """The path if it is one of ours: a link to the log-in page must not lead anywhere else afterwards."""
    ours = path == "/console" or path.startswith("/console/")
    plain = path.isascii() and path.isprintable() and "\\" not in path and "//" not in path
    return path if ours and plain and not path.startswith("/console/login") else "/console"
