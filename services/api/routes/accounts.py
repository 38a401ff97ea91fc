"""Accounts. A change is taken (202) and travels to the router; `apply_state` tells how far it is."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response

from services.api.core.account import Account, AccountChange, ApplyState
from services.api.core.faults import Fault, Faulty
from services.api.deps import AccountKeeper, OnceDep, PartsDep, Reader, Wish
from services.api.handlers import accounts, sessions
from services.api.ports import AccountFilter, Unit
from services.api.routes.schemas.accounts import AccountNew, AccountPatch, AccountView
from services.api.routes.schemas.live import DisconnectView
from services.api.routes.schemas.parts import PageView, page_view
from shared.contracts.ids import AccountId, RouterId, new_id
from shared.contracts.vocabulary import AccountStatus, Service

router = APIRouter(prefix="/accounts", tags=["accounts"])

IfMatch = Annotated[
    str | None, Header(description="The ETag that you read; refused with 412 if the account changed since.")
]


@router.get("")
async def list_accounts(
    api: PartsDep,
    _: Reader,
    wish: Wish,
    router_id: str | None = None,
    service: Service | None = None,
    status: Annotated[AccountStatus | None, Query(description="`deleted` shows those that are gone, too.")] = None,
    apply_state: ApplyState | None = None,
    name: Annotated[str | None, Query(description="Exactly this name.")] = None,
    q: Annotated[str | None, Query(description="Part of the name, the full name or the phone number.")] = None,
) -> PageView[AccountView]:
    """Accounts, by name."""
    chosen = AccountFilter(router_id, service, status, apply_state, name, q)
    async with api.store.unit() as unit:
        return page_view(await unit.accounts.find(chosen, wish), AccountView)


@router.post("", status_code=202, response_model=AccountView)
async def add_account(api: PartsDep, caller: AccountKeeper, once: OnceDep, body: AccountNew) -> Response:
    """Make an account. It exists on the router when `apply_state` is `applied`."""
    now = api.clock.now()
    wanted = Account(
        id=AccountId(new_id()),
        router_id=RouterId(body.router_id),
        sealed_password=accounts.seal_password(body.password.get_secret_value(), api.sealer),
        created_at=now,
        changed_at=now,
        phone=body.phone or None,
        **body.model_dump(exclude={"router_id", "password", "phone"}),
    )

    async def work(unit: Unit) -> AccountView:
        return AccountView.of(
            await accounts.add_account(wanted, by=caller.name, unit=unit, clock=api.clock, time_zone=api.time_zone)
        )

    return _with_etag(await once.run(work, status=202))


@router.get("/{account_id}")
async def get_account(api: PartsDep, _: Reader, account_id: str, response: Response) -> AccountView:
    """One account; also one that was deleted."""
    async with api.store.unit() as unit:
        account = await unit.accounts.get(account_id)
    response.headers["ETag"] = etag(account.generation)
    return AccountView.of(account)


@router.patch("/{account_id}", status_code=202)
async def change_account(
    api: PartsDep,
    caller: AccountKeeper,
    account_id: str,
    body: AccountPatch,
    response: Response,
    if_match: IfMatch = None,
) -> AccountView:
    """Change an account: password, profile, status (`disabled` cuts its session), person. Not its name."""
    fields = body.wanted("name", "password")
    if body.password is not None:
        fields["sealed_password"] = accounts.seal_password(body.password.get_secret_value(), api.sealer)
    async with api.store.unit() as unit:
        account = await accounts.change(
            account_id,
            AccountChange(**fields),
            by=caller.name,
            unit=unit,
            clock=api.clock,
            time_zone=api.time_zone,
            name=body.name,
            if_generation=generation_of(if_match),
        )
    response.headers["ETag"] = etag(account.generation)
    return AccountView.of(account)


@router.delete("/{account_id}", status_code=202)
async def delete_account(
    api: PartsDep, caller: AccountKeeper, account_id: str, response: Response, if_match: IfMatch = None
) -> AccountView:
    """The account shall be gone from its router."""
    async with api.store.unit() as unit:
        account = await accounts.delete(
            account_id,
            by=caller.name,
            unit=unit,
            clock=api.clock,
            time_zone=api.time_zone,
            if_generation=generation_of(if_match),
        )
    response.headers["ETag"] = etag(account.generation)
    return AccountView.of(account)


@router.post("/{account_id}/disconnect", status_code=202)
async def disconnect_account(api: PartsDep, caller: AccountKeeper, account_id: str) -> DisconnectView:
    """End every session of an account now. A client with its password may log in again at once."""
    order = await sessions.disconnect_account(account_id, by=caller.name, store=api.store, bus=api.bus, clock=api.clock)
    return DisconnectView.of(order, api.clock.now() + sessions.LIFE)


def etag(generation: int) -> str:
    """An account's entity tag: its generation. Weak, since the router's report changes the view, not the wish."""
    return f'W/"{generation}"'


def generation_of(if_match: str | None) -> int | None:
    """The generation that If-Match names; None for no condition. Raises Faulty for what we never gave out."""
    if if_match is None or if_match.strip() == "*":
        return None
    inner = if_match.strip().removeprefix("W/").strip('"')
    if not inner.isdecimal():
        raise Faulty([Fault("If-Match", "bad_etag", "Send the ETag that you got with the account.")])
    return int(inner)


def _with_etag(response: Response) -> Response:
    view = AccountView.model_validate_json(bytes(response.body))
    response.headers["ETag"] = etag(view.generation)
    return response
