"""Accounts: every change is the next generation, and its desired state leaves in the same transaction."""

from __future__ import annotations

from dataclasses import replace

from services.api.core.account import (
    Account,
    AccountChange,
    ApplyState,
    change_account,
    desired_state,
    subscriber_of,
)
from services.api.core.faults import ChangedMeanwhile, Fault, NameTaken, RenameNotSupported, refuse_if
from services.api.handlers.audit import changed
from services.api.ports import Sealer, Unit
from shared.clock import Clock
from shared.contracts.inventory import subscriber_key
from shared.contracts.vocabulary import AccountStatus
from shared.errors import NotFound

ACCOUNT_PASSWORD = "account-password"  # noqa: S105 - the purpose that the seal is bound to


def seal_password(password: str, sealer: Sealer) -> str:
    """An account's password as it is kept and sent."""
    return sealer.seal(password, purpose=ACCOUNT_PASSWORD)


async def add_account(wanted: Account, *, by: str, unit: Unit, clock: Clock, time_zone: str) -> Account:
    """A new account, or one that was deleted, made again. Raises Faulty and NameTaken."""
    if wanted.status is AccountStatus.DELETED:
        refuse_if([Fault("status", "status_not_possible", "A new account is active or disabled.")])
    try:
        router = (await unit.routers.get(wanted.router_id)).entity
    except NotFound:
        refuse_if([Fault("router_id", "unknown_router", f"There is no router «{wanted.router_id}».")])
        raise
    known = await unit.accounts.by_name(wanted.router_id, wanted.service, wanted.name)
    if known is not None and known.status is not AccountStatus.DELETED:
        raise NameTaken(f"{router.name} already has a {wanted.service} account «{wanted.name}».")
    account = wanted if known is None else _made_again(known, wanted)
    await (unit.accounts.add(account) if known is None else unit.accounts.replace(account))
    await _tell(account, known, "added", by, unit, clock, time_zone)
    return account


async def change(
    account_id: str,
    wanted: AccountChange,
    *,
    by: str,
    unit: Unit,
    clock: Clock,
    time_zone: str,
    name: str | None = None,
    if_generation: int | None = None,
) -> Account:
    """The account's next generation. Raises ChangedMeanwhile, RenameNotSupported, NotFound."""
    before = await _current(account_id, unit, if_generation)
    if name is not None and name != before.name:
        raise RenameNotSupported(
            f"«{before.name}» cannot be renamed. Make a new account «{name}», then delete this one."
        )
    account = change_account(before, wanted, clock.now())
    await unit.accounts.replace(account)
    await _tell(account, before, "changed", by, unit, clock, time_zone)
    return account


async def delete(
    account_id: str, *, by: str, unit: Unit, clock: Clock, time_zone: str, if_generation: int | None = None
) -> Account:
    """The account shall be gone from its router. Deleting it again changes nothing."""
    before = await unit.accounts.get(account_id, lock=True)
    if before.status is AccountStatus.DELETED and before.apply_state is not ApplyState.FAILED:
        return before
    before = await _current(account_id, unit, if_generation, deleted_too=True)
    account = change_account(before, AccountChange(status=AccountStatus.DELETED), clock.now())
    await unit.accounts.replace(account)
    await _tell(account, before, "removed", by, unit, clock, time_zone)
    return account


async def _current(account_id: str, unit: Unit, if_generation: int | None, *, deleted_too: bool = False) -> Account:
    account = await unit.accounts.get(account_id, lock=True)
    if account.status is AccountStatus.DELETED and not deleted_too:
        raise NotFound(f"«{account.name}» was deleted; POST it again to have it back.")
    if if_generation is not None and if_generation != account.generation:
        raise ChangedMeanwhile(
            f"«{account.name}» is at generation {account.generation} by now, not {if_generation}; read it again."
        )
    return account


def _made_again(known: Account, wanted: Account) -> Account:
    # Same id and the next generation: a "deleted" that still waits for the router is replaced, not overtaken.
    return replace(
        wanted,
        id=known.id,
        created_at=known.created_at,
        generation=known.generation + 1,
        applied_generation=known.applied_generation,
        applied_at=known.applied_at,
        took_ms=known.took_ms,
    )


async def _tell(
    account: Account, before: Account | None, what: str, by: str, unit: Unit, clock: Clock, time_zone: str
) -> None:
    await unit.publish(desired_state(account, before))
    key = subscriber_key(account.router_id, account.service, account.name)
    person = subscriber_of(account, time_zone)
    if person is not None or (before is not None and before.phone is not None):
        await unit.announce(key, person)
    await changed(
        unit,
        clock,
        by=by,
        change=what,
        entity="account",
        entity_id=account.id,
        name=account.name,
        generation=account.generation,
        status=account.status,
        profile=account.profile,
        password_changed=before is None or before.sealed_password != account.sealed_password,
    )
