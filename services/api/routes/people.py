"""People and tokens."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Response

from services.api.deps import Admin, AnyCaller, OnceDep, PartsDep
from services.api.handlers import people
from services.api.ports import Unit
from services.api.routes.schemas.parts import PageView
from services.api.routes.schemas.people import (
    MeView,
    PersonNew,
    PersonPatch,
    PersonView,
    TokenMade,
    TokenNew,
    TokenView,
)

router = APIRouter(tags=["people"])


@router.get("/me")
async def get_me(caller: AnyCaller) -> MeView:
    """Who you are and what you may do."""
    return MeView.of(caller)


@router.get("/people")
async def list_people(api: PartsDep, _: Admin) -> PageView[PersonView]:
    """Everybody who may log in."""
    async with api.store.unit() as unit:
        return PageView(items=[PersonView.of(person) for person in await unit.people.all()])


@router.post("/people", status_code=201, response_model=PersonView)
async def add_person(api: PartsDep, caller: Admin, once: OnceDep, body: PersonNew) -> Response:
    """Add a person."""
    hashed = await asyncio.to_thread(api.hasher.hash, body.password.get_secret_value())

    async def work(unit: Unit) -> PersonView:
        added = await people.add_person(
            **body.model_dump(exclude={"password"}),
            password_hash=hashed,
            by=caller.name,
            unit=unit,
            clock=api.clock,
        )
        return PersonView.of(added)

    return await once.run(work, status=201)


@router.patch("/people/{person_id}")
async def change_person(api: PartsDep, caller: Admin, person_id: str, body: PersonPatch) -> PersonView:
    """Change a person; a new password or `enabled: false` ends their sessions."""
    wanted = body.wanted("password", nullable=("language", "time_zone"))
    if body.password is not None:
        wanted["password_hash"] = await asyncio.to_thread(api.hasher.hash, body.password.get_secret_value())
    async with api.store.unit() as unit:
        person = await people.change_person(person_id, wanted, by=caller.name, unit=unit, clock=api.clock)
        return PersonView.of(person)


@router.get("/tokens")
async def list_tokens(api: PartsDep, _: Admin) -> PageView[TokenView]:
    """All tokens, without their secrets."""
    async with api.store.unit() as unit:
        return PageView(items=[TokenView.of(token) for token in await unit.people.tokens()])


@router.post("/tokens", status_code=201)
async def make_token(api: PartsDep, caller: AnyCaller, body: TokenNew) -> TokenMade:
    """Make a token of your own. The secret is shown this once, so a repeated request makes a second token."""
    async with api.store.unit() as unit:
        token, secret = await people.make_token(
            caller=caller,
            name=body.name,
            scopes=frozenset(body.scopes),
            expires_at=body.expires_at,
            unit=unit,
            clock=api.clock,
        )
    return TokenMade(**TokenView.of(token).model_dump(), secret=secret)


@router.delete("/tokens/{token_id}", status_code=204)
async def remove_token(api: PartsDep, caller: Admin, token_id: str) -> None:
    """A token opens nothing any more."""
    async with api.store.unit() as unit:
        await people.remove_token(token_id, by=caller.name, unit=unit, clock=api.clock)
