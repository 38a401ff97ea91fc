"""Bring an account on a router to its desired state: read, compare, write, verify, report.

Nothing is lost on the way, because the stream keeps the last desired state of every account and the mark in `Progress`
says whether it was brought about. A delivered message is acknowledged as soon as it lies on its router's desk: a router
that is slow or away must not take the others' turn. Whenever a router can be asked (again), also after a restart of the
provisioner, all its desired states are laid on the desk again; what is settled is skipped there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import structlog

from services.provisioner.core.account import CloseSessions, Step, WantedAccount
from services.provisioner.core.refusal import advice
from services.provisioner.faults import ProfileMissing, SealedShut
from services.provisioner.handlers.rows import act, look
from services.provisioner.ports import Desks, Mark, Progress, Publisher, Routers
from shared.bus.context import current_envelope
from shared.clock import Clock
from shared.contracts.desired import DesiredAccount
from shared.contracts.events import AccountApplied, AccountFailed
from shared.contracts.vocabulary import AccountStatus
from shared.errors import Refused, Rejected
from shared.security.sealing import ACCOUNT_PASSWORD, KeyRing
from shared.security.secret import Secret

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AccountWork:
    """What bringing about an account needs."""

    routers: Routers
    progress: Progress
    publisher: Publisher
    keys: KeyRing
    clock: Clock


async def take_account(desired: DesiredAccount, *, desks: Desks) -> None:
    """Lay a desired state on its router's desk."""
    desks.hand_over(desired, current_envelope())


async def carry_out(desired: DesiredAccount, *, work: AccountWork) -> None:
    """Bring one desired state about and say so, unless that is done. Only one per account may run at a time.

    Raises RouterAway (it will be handed over again when the router returns) or another error (try again later).
    """
    mark = await work.progress.of(desired.router_id, desired.account_id)
    if mark.settled >= desired.generation:
        return
    try:
        password = _open_password(desired, work.keys)
    except SealedShut as shut:
        # Not settled: with the right key, which takes a restart, it is applied without anybody's doing.
        await work.publisher.publish(_failed(desired, shut, work))
        return
    outcome, close_owed = await _bring_about(desired, WantedAccount.of(desired, password), mark, work)
    # Said first and marked after: a crash in between says it again under the same id, which the stream drops.
    await work.publisher.publish(outcome)
    await work.progress.write(desired.router_id, desired.account_id, Mark(desired.generation, close_owed))
    log.info("account settled", router=desired.router_id, account=desired.account_id, outcome=outcome.NAME)


async def _bring_about(
    desired: DesiredAccount, wanted: WantedAccount, mark: Mark, work: AccountWork
) -> tuple[AccountApplied | AccountFailed, bool]:
    """What became of it, and whether its sessions still have to be closed."""
    started = work.clock.monotonic()
    router, close_owed = work.routers.name(desired.router_id), mark.close_owed
    async with work.routers.session(desired.router_id) as session:
        try:
            steps = await look(session, wanted, router=router, close_owed=close_owed)
        except Refused as refusal:
            return _failed(desired, refusal, work), close_owed
        if CloseSessions() in steps and len(steps) > 1 and not close_owed:
            # Once the rows are changed nobody can see any more that sessions have to be closed.
            close_owed = True
            await work.progress.write(desired.router_id, desired.account_id, replace(mark, close_owed=True))
        try:
            done = await act(session, wanted, steps, router=router)
        except Refused as refusal:
            return _failed(desired, refusal, work), close_owed
    return _applied(desired, done, work.clock.monotonic() - started, work), False


def _open_password(desired: DesiredAccount, keys: KeyRing) -> Secret:
    if desired.status is AccountStatus.DELETED:
        return Secret("")  # to remove an account nobody needs its password
    try:
        return keys.open(desired.sealed_password, purpose=ACCOUNT_PASSWORD)
    except Refused as shut:
        raise SealedShut(str(shut)) from shut


def _applied(desired: DesiredAccount, done: tuple[Step, ...], took_s: float, work: AccountWork) -> AccountApplied:
    return AccountApplied(
        at=work.clock.now(),
        account_id=desired.account_id,
        router_id=desired.router_id,
        service=desired.service,
        name=desired.name,
        generation=desired.generation,
        steps=tuple(str(step) for step in done),
        took_ms=round(took_s * 1000, 1),
    )


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
