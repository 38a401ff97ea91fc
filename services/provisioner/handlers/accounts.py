"""Bring an account on a router to its desired state: read, compare, write, verify, report.

A desired state may arrive twice, from the stream and from the backlog of a router that came back. What has been
settled is skipped, and for the rest a second look at the router finds nothing to do.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from services.provisioner.core.account import (
    ACCOUNT_MENU,
    PROFILE_MENU,
    AddRow,
    ChangeRow,
    CloseSessions,
    RemoveRow,
    Row,
    Step,
    WantedAccount,
    choose_row,
    must_close,
    not_kept,
    plan,
    shadowing_profiles,
)
from services.provisioner.core.refusal import advice, profile_advice
from services.provisioner.faults import NotKept, ProfileMissing, RouterAway, SealedShut
from services.provisioner.handlers.sessions import close_sessions
from services.provisioner.keyed_locks import KeyedLocks
from services.provisioner.ports import DesiredStates, Progress, Publisher, Routers
from shared.bus.context import handling
from shared.clock import Clock
from shared.contracts.desired import DesiredAccount
from shared.contracts.events import AccountApplied, AccountFailed
from shared.contracts.ids import RouterId
from shared.errors import Refused, Rejected, Unreachable
from shared.routeros import ItemMissing, Session, ValueRefused, equals
from shared.security.sealing import ACCOUNT_PASSWORD, KeyRing
from shared.security.secret import Secret

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AccountWork:
    """What applying an account needs."""

    routers: Routers
    progress: Progress
    publisher: Publisher
    keys: KeyRing
    clock: Clock
    locks: KeyedLocks


async def apply_account(desired: DesiredAccount, *, work: AccountWork) -> None:
    """Apply one desired state. A router that is away is no failure: its backlog is read again when it returns."""
    async with work.locks.hold(desired.account_id):
        if await work.progress.settled(desired.account_id) >= desired.generation:
            return
        try:
            outcome = await _try_to_apply(desired, work)
        except (RouterAway, Unreachable) as away:
            log.info("the router is away, the account waits", router=desired.router_id, reason=str(away))
            return
        await work.publisher.publish(outcome)
        await work.progress.settle(desired.account_id, desired.generation)


async def apply_backlog(router_id: RouterId, *, states: DesiredStates, work: AccountWork) -> None:
    """Apply what was desired of a router while it was away: the last state of each account, once."""
    async for desired, envelope in states.of_router(router_id):
        with handling(envelope):
            await apply_account(desired, work=work)


async def _try_to_apply(desired: DesiredAccount, work: AccountWork) -> AccountApplied | AccountFailed:
    started = work.clock.monotonic()
    async with work.routers.session(desired.router_id) as session:
        try:
            steps = await _bring_about(desired, session, work)
        except Refused as refusal:
            return _failed(desired, refusal, work)
    return AccountApplied(
        at=work.clock.now(),
        account_id=desired.account_id,
        router_id=desired.router_id,
        service=desired.service,
        name=desired.name,
        generation=desired.generation,
        steps=tuple(str(step) for step in steps),
        took_ms=round((work.clock.monotonic() - started) * 1000, 1),
    )


async def _bring_about(desired: DesiredAccount, session: Session, work: AccountWork) -> tuple[Step, ...]:
    wanted = WantedAccount.of(desired, _open_password(desired, work.keys))
    row = await _read(session, wanted)
    steps = plan(wanted, row, close_owed=await work.progress.owes_close(desired.account_id))
    if _writes_profile(steps):
        await _demand_exact_profile(session, wanted, work.routers.name(desired.router_id))
    if row is not None and must_close(wanted, row):
        await work.progress.owe_close(desired.account_id)
    done = [step for step in steps if await _do(step, session, wanted, work.routers.name(desired.router_id))]
    if CloseSessions() in steps:
        await work.progress.close_done(desired.account_id)
    if strays := not_kept(wanted, await _read(session, wanted)):
        raise NotKept(f"the router shows {', '.join(strays)} otherwise")
    return tuple(done)


def _open_password(desired: DesiredAccount, keys: KeyRing) -> Secret:
    try:
        return keys.open(desired.sealed_password, purpose=ACCOUNT_PASSWORD)
    except Refused as shut:
        raise SealedShut(str(shut)) from shut


async def _read(session: Session, wanted: WantedAccount) -> Row | None:
    rows = await session.print_rows(ACCOUNT_MENU[wanted.service], query=equals("name", wanted.name), secrets=True)
    return choose_row(rows)


def _writes_profile(steps: tuple[Step, ...]) -> bool:
    return any(isinstance(step, AddRow | ChangeRow) and "profile" in step.properties for step in steps)


async def _demand_exact_profile(session: Session, wanted: WantedAccount, router: str) -> None:
    """A router takes the beginning of a name for the name: `paket1` would become `paket10` without a word."""
    present = await _profiles(session, wanted)
    if shadowing_profiles(wanted.profile, present):
        raise ProfileMissing(
            f"no profile is called exactly {wanted.profile}", advice=profile_advice(router, wanted, present)
        )


async def _profiles(session: Session, wanted: WantedAccount) -> list[str]:
    rows = await session.print_rows(PROFILE_MENU[wanted.service], ("name",))
    return sorted(row["name"] for row in rows if "name" in row)


async def _do(step: Step, session: Session, wanted: WantedAccount, router: str) -> bool:
    """Carry out a step; whether there was anything to do."""
    menu = ACCOUNT_MENU[wanted.service]
    if isinstance(step, CloseSessions):
        return await close_sessions(session, wanted.service, wanted.name) > 0
    if isinstance(step, RemoveRow):
        return await session.remove_if_there(menu, step.item) > 0
    try:
        if isinstance(step, AddRow):
            await session.add(menu, step.properties)
        else:
            await _change(session, menu, step)
    except ValueRefused as refusal:
        if "profile" not in refusal.words:
            raise
        known = await _profiles(session, wanted)
        raise ProfileMissing(refusal.words, advice=profile_advice(router, wanted, known)) from refusal
    return True


async def _change(session: Session, menu: str, step: ChangeRow) -> None:
    try:
        await session.set_(menu, step.item, step.properties)
    except ItemMissing as gone:
        # Removed or renumbered between look and change: the message is handled again, with a fresh look.
        raise Unreachable("the account's row changed while it was written") from gone


def _failed(desired: DesiredAccount, refusal: Refused, work: AccountWork) -> AccountFailed:
    router = work.routers.name(desired.router_id)
    return AccountFailed(
        at=work.clock.now(),
        account_id=desired.account_id,
        router_id=desired.router_id,
        service=desired.service,
        name=desired.name,
        generation=desired.generation,
        code=refusal.code,
        router_words=refusal.words if isinstance(refusal, Rejected) else str(refusal),
        advice=refusal.advice if isinstance(refusal, ProfileMissing) else advice(router, refusal.code),
    )
