"""People, their browsers' sessions and their tokens. Only hashes of what opens a door are kept."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from services.api.core.faults import NameTaken, NotAuthenticated, StillInUse, TooManyAttempts
from services.api.core.rights import SCOPES_OF_ROLE, Caller, Scope, effective_scopes
from services.api.core.throttle import LoginThrottle
from services.api.handlers.audit import note
from services.api.ports import BrowserSession, PasswordHasher, Person, Store, Token, Unit
from shared.clock import Clock
from shared.contracts.ids import new_id
from shared.contracts.vocabulary import Role
from shared.errors import NotAllowed, NotFound

SESSION_LIFE = timedelta(hours=12)  # one shift and a half; a forgotten browser is not a door for ever
TOKEN_PREFIX = "ronda_"  # noqa: S105 - so that scanners for leaked secrets recognise ours
# Verified when there is no such person, so that the answer takes as long as for a wrong password.
_NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class FirstOwner:
    """The owner that was made, with the password that is shown this once."""

    login: str
    password: str


async def create_owner(
    *, login: str, store: Store, hasher: PasswordHasher, clock: Clock, name: str = "", password: str | None = None
) -> FirstOwner:
    """Make the first person who may do everything. Raises NameTaken if the login exists already.

    Without a password one is made up; show it once, it is kept only as an argon2 hash.
    """
    chosen = password or secrets.token_urlsafe(12)
    hashed = await asyncio.to_thread(hasher.hash, chosen)
    async with store.unit() as unit:
        await add_person(
            login=login,
            name=name or login,
            role=Role.OWNER,
            password_hash=hashed,
            by="first run",
            unit=unit,
            clock=clock,
        )
    return FirstOwner(login, chosen)


async def give_new_password(*, login: str, store: Store, hasher: PasswordHasher, clock: Clock) -> FirstOwner:
    """A new made-up password for a person by login, for the command line on the server itself. Raises NotFound."""
    chosen = secrets.token_urlsafe(12)
    async with store.unit() as unit:
        person = await unit.people.by_login(login)
        if person is None:
            raise NotFound(f"There is no person with the login «{login}».")
        wanted = {"password_hash": hasher.hash(chosen), "enabled": True}
        await change_person(person.id, wanted, by="command line", unit=unit, clock=clock)
    return FirstOwner(login, chosen)


async def has_people(store: Store) -> bool:
    """Whether anybody can log in yet."""
    async with store.unit() as unit:
        return bool(await unit.people.all())


async def add_person(
    *,
    login: str,
    name: str,
    role: Role,
    password_hash: str,
    by: str,
    unit: Unit,
    clock: Clock,
    **rest: Any,
) -> Person:
    """A new person. Raises NameTaken."""
    if await unit.people.by_login(login) is not None:
        raise NameTaken(f"There is already a person with the login «{login}».")
    person = Person(new_id(), login, name, role, password_hash, clock.now(), **rest)
    await unit.people.add(person)
    await note(unit, clock, by=by, action="person.added", entity="person", entity_id=person.id, login=login, role=role)
    return person


async def change_person(person_id: str, wanted: Mapping[str, Any], *, by: str, unit: Unit, clock: Clock) -> Person:
    """A person as wanted. The last owner stays one. A new password or a lock ends their sessions."""
    before = await unit.people.get(person_id)
    person = replace(before, **wanted)
    if _is_owner(before) and not _is_owner(person) and sum(map(_is_owner, await unit.people.all())) == 1:
        raise StillInUse(f"{before.name} is the only owner; make somebody else an owner first.")
    await unit.people.replace(person)
    if person.password_hash != before.password_hash or not person.enabled:
        await unit.people.end_sessions_of(person_id)
    await note(unit, clock, by=by, action="person.changed", entity="person", entity_id=person_id, **wanted)
    return person


def _is_owner(person: Person) -> bool:
    return person.role is Role.OWNER and person.enabled


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A new session of a browser; `cookie` is told to the browser alone."""

    cookie: str
    session: BrowserSession
    person: Person


async def log_in(
    *,
    login: str,
    password: str,
    address: str,
    store: Store,
    hasher: PasswordHasher,
    throttle: LoginThrottle,
    clock: Clock,
) -> LoggedIn:
    """Open a session. Raises NotAuthenticated without saying which half was wrong, and TooManyAttempts."""
    keys = (f"address:{address}", f"login:{login}")
    wait = throttle.wait_s(keys, clock.monotonic())
    if wait > 0:
        raise TooManyAttempts("Too many wrong passwords; wait a few minutes.", retry_after=wait)
    async with store.unit() as unit:
        person = await unit.people.by_login(login)
    right = await asyncio.to_thread(hasher.verify, person.password_hash if person else _NOBODY, password)
    if person is None or not right or not person.enabled:
        throttle.failed(keys, clock.monotonic())
        raise NotAuthenticated("This login and password do not belong together.")
    throttle.succeeded(keys)
    cookie = secrets.token_urlsafe(32)
    now = clock.now()
    session = BrowserSession(new_id(), person.id, _digest(cookie), secrets.token_urlsafe(24), now, now + SESSION_LIFE)
    async with store.unit() as unit:
        await unit.people.add_session(session)
        await note(
            unit, clock, by=person.name, action="session.opened", entity="person", entity_id=person.id, address=address
        )
    return LoggedIn(cookie, session, person)


async def log_out(caller: Caller, *, store: Store) -> None:
    """End the browser's session."""
    if caller.session_id is not None:
        async with store.unit() as unit:
            await unit.people.end_session(caller.session_id)


async def caller_of_session(cookie: str, *, store: Store, clock: Clock) -> Caller:
    """Who a browser's cookie belongs to. Raises NotAuthenticated."""
    async with store.unit() as unit:
        found = await unit.people.session(_digest(cookie))
    if found is None or found[0].expires_at <= clock.now() or not found[1].enabled:
        raise NotAuthenticated("Your session has ended; log in again.")
    session, person = found
    return _caller(person, SCOPES_OF_ROLE[person.role], session=session)


async def caller_of_token(secret: str, *, store: Store, clock: Clock) -> Caller:
    """Who an API token belongs to. Raises NotAuthenticated."""
    async with store.unit() as unit:
        found = await unit.people.token(_digest(secret))
    if found is None or not found[1].enabled or _expired(found[0].expires_at, clock.now()):
        raise NotAuthenticated("This API token is not valid (any more).")
    token, person = found
    return _caller(person, effective_scopes(person.role, token.scopes), token=token)


def _expired(expires_at: datetime | None, now: datetime) -> bool:
    return expires_at is not None and expires_at <= now


async def may_go_on(caller: Caller, *, store: Store, clock: Clock) -> bool:
    """Whether the session or token behind a long-lived connection still opens what it opened."""
    async with store.unit() as unit:
        if caller.session_id is not None:
            ends = await unit.people.session_end(caller.session_id)
        else:
            ends = await unit.people.token_end(caller.token_id or "")
    return ends is not None and clock.now() < ends


def _caller(
    person: Person, scopes: frozenset[Scope], *, session: BrowserSession | None = None, token: Token | None = None
) -> Caller:
    return Caller(
        person.id,
        person.name,
        person.role,
        scopes,
        person.language,
        person.time_zone,
        session_id=session.id if session else None,
        csrf=session.csrf if session else None,
        token_id=token.id if token else None,
    )


async def make_token(
    *, caller: Caller, name: str, scopes: frozenset[Scope], expires_at: datetime | None, unit: Unit, clock: Clock
) -> tuple[Token, str]:
    """A new token and its secret. Raises NotAllowed for more than the caller has."""
    beyond = scopes - caller.scopes
    if beyond:
        raise NotAllowed(f"You cannot give away what you do not have: {', '.join(sorted(beyond))}.")
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = Token(new_id(), caller.person_id, name, _digest(secret), scopes, clock.now(), expires_at)
    await unit.people.add_token(token)
    await note(
        unit,
        clock,
        by=caller.name,
        action="token.added",
        entity="token",
        entity_id=token.id,
        name=name,
        scopes=scopes,
    )
    return token, secret


async def make_token_for(*, login: str, name: str, scopes: frozenset[Scope], store: Store, clock: Clock) -> str:
    """A token for a person by login, for the command line on the server itself. Raises NotFound."""
    async with store.unit() as unit:
        person = await unit.people.by_login(login)
        if person is None:
            raise NotFound(f"There is no person with the login «{login}».")
        caller = _caller(person, SCOPES_OF_ROLE[person.role])
        _, secret = await make_token(caller=caller, name=name, scopes=scopes, expires_at=None, unit=unit, clock=clock)
    return secret


async def remove_token(token_id: str, *, by: str, unit: Unit, clock: Clock) -> None:
    """A token opens nothing any more. Raises NotFound."""
    await unit.people.remove_token(token_id)
    await note(unit, clock, by=by, action="token.removed", entity="token", entity_id=token_id)


def _digest(secret: str) -> str:
    # The secrets have 256 random bits, so a plain hash cannot be guessed back; argon2 is for passwords.
    return hashlib.sha256(secret.encode()).hexdigest()
