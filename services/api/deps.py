"""What routes and pages may ask for, typed. Authorisation is a dependency; a route without one is public on purpose."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header, Query, Request
from fastapi.security import HTTPBearer
from pydantic import BaseModel
from starlette.responses import Response

from services.api.core.cursor import MAX_PAGE, PageWish, decode_cursor
from services.api.core.faults import CsrfFailed, KeyReused, NotAuthenticated
from services.api.core.measurements import Kept
from services.api.core.rights import Caller, Scope
from services.api.core.throttle import LoginThrottle
from services.api.handlers.ingest import Gate
from services.api.handlers.live import BoardBell
from services.api.handlers.people import caller_of_session, caller_of_token, may_go_on
from services.api.ports import PasswordHasher, Sealer, Store, StoredAnswer, Unit
from shared.bus.ports import Bus
from shared.clock import Clock
from shared.errors import NotAllowed

V = TypeVar("V", bound=BaseModel)
SESSION_COOKIE = "ronda_session"
CSRF_HEADER = "X-CSRF-Token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Parts:
    """What the program was wired with."""

    store: Store
    bus: Bus
    clock: Clock
    hasher: PasswordHasher
    sealer: Sealer
    throttle: LoginThrottle
    bell: BoardBell
    gate: Gate
    ingest_url: str
    time_zone: str
    language: str
    secure_cookies: bool
    kept: Kept
    stopping: asyncio.Event  # set when the program ends, so that streams end before their connections are cut


def parts(request: Request) -> Parts:
    """The parts of this application."""
    found: Parts = request.app.state.parts
    return found


PartsDep = Annotated[Parts, Depends(parts)]

# Declared for OpenAPI; the work is done in `current_caller`, which also knows the console's cookie.
bearer = HTTPBearer(auto_error=False, description="An API token made with `POST /api/v1/tokens`.")


async def current_caller(request: Request, api: PartsDep, _: Annotated[Any, Depends(bearer)] = None) -> Caller:
    """Who is asking: a token or a browser's session. Raises NotAuthenticated, and CsrfFailed for a forged form."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme:
        if scheme.lower() != "bearer":
            raise NotAuthenticated("Send an API token as «Authorization: Bearer …».")
        return await caller_of_token(secret.strip(), store=api.store, clock=api.clock)
    cookie = request.cookies.get(SESSION_COOKIE)
    if not cookie:
        raise NotAuthenticated("Log in, or send an API token as «Authorization: Bearer …».")
    caller = await caller_of_session(cookie, store=api.store, clock=api.clock)
    if request.method not in SAFE_METHODS:
        await check_csrf(request, caller)
    return caller


async def still_welcome(caller: Caller, api: Parts) -> bool:
    """Whether a caller who has been listening for a while may go on: asked at every heartbeat."""
    return await may_go_on(caller, store=api.store, clock=api.clock)


async def check_csrf(request: Request, caller: Caller) -> None:
    """A browser sends its cookie for anybody's page, but only our own page knows the token."""
    sent = request.headers.get(CSRF_HEADER)
    if sent is None and _is_form(request):
        sent = str((await request.form()).get("csrf", ""))
    if caller.csrf is None or not hmac.compare_digest((sent or "").encode(), caller.csrf.encode()):
        raise CsrfFailed("This form is too old or not ours. Load the page again and repeat it.")


def _is_form(request: Request) -> bool:
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip()
    return kind in {"application/x-www-form-urlencoded", "multipart/form-data"}


class Allowed:
    """A dependency: the caller, if they have the scope. Compared by the test that no route lacks one."""

    def __init__(self, scope: Scope | None) -> None:
        self.scope = scope

    async def __call__(self, caller: Annotated[Caller, Depends(current_caller)]) -> Caller:
        if self.scope is not None and not caller.may(self.scope):
            raise NotAllowed(f"This needs the right «{self.scope}», which {caller.name} does not have here.")
        return caller


AnyCaller = Annotated[Caller, Depends(Allowed(None))]
Reader = Annotated[Caller, Depends(Allowed(Scope.READ))]
AlertKeeper = Annotated[Caller, Depends(Allowed(Scope.ALERTS))]
AccountKeeper = Annotated[Caller, Depends(Allowed(Scope.ACCOUNTS))]
InventoryKeeper = Annotated[Caller, Depends(Allowed(Scope.INVENTORY))]
Admin = Annotated[Caller, Depends(Allowed(Scope.ADMIN))]


def page_wish(
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="Rows per page.")] = 50,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
) -> PageWish:
    """The page that the caller wants."""
    return PageWish(limit, decode_cursor(cursor) if cursor else None)


Wish = Annotated[PageWish, Depends(page_wish)]


class Once:
    """Runs a change in one transaction; with an Idempotency-Key a repeated request gets the first one's answer."""

    def __init__(self, request: Request, api: Parts, caller: Caller, key: str | None) -> None:
        self._request = request
        self._api = api
        self._owner = caller.person_id
        self._key = key

    async def run(self, work: Callable[[Unit], Awaitable[V]], *, status: int) -> Response:
        """Do the work, or repeat what it was answered with. Raises KeyReused for another request with this key."""
        fingerprint = await self._fingerprint() if self._key else ""
        async with self._api.store.unit() as unit:
            if self._key:
                known = await unit.recall(self._owner, self._key)
                if known is not None:
                    return self._repeat(known, fingerprint)
            answer = (await work(unit)).model_dump_json()
            if self._key:
                stored = StoredAnswer(fingerprint, status, answer)
                await unit.remember(self._owner, self._key, stored, self._api.clock.now())
        return _json(answer, status)

    def _repeat(self, known: StoredAnswer, fingerprint: str) -> Response:
        if known.fingerprint != fingerprint:
            raise KeyReused("This Idempotency-Key was used for a different request; take a new one.")
        return _json(known.body, known.status, {"Idempotent-Replayed": "true"})

    async def _fingerprint(self) -> str:
        body = await self._request.body()
        fields = json.loads(body) if body else {}
        if isinstance(fields, dict):
            fields.pop("password", None)  # a hash of a short secret can be guessed from
        told = json.dumps([self._request.method, self._request.url.path, fields], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()


def _json(body: str, status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(body, status_code=status, headers=headers, media_type="application/json")


def once(
    request: Request,
    api: PartsDep,
    caller: Annotated[Caller, Depends(current_caller)],
    idempotency_key: Annotated[
        str | None,
        Header(min_length=1, max_length=200, description="The same key and body again get the same answer."),
    ] = None,
) -> Once:
    """A change that a repeated request does not repeat."""
    return Once(request, api, caller, idempotency_key)


OnceDep = Annotated[Once, Depends(once)]
