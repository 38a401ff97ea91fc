"""An account: what its owner wants of it (`generation`) and how far the router has followed (`applied_generation`).

Its identity is its name on its router: an account that was deleted and is made again keeps its id and counts on, so
that an old "deleted" still waiting for the router can never remove the new one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shared.contracts.desired import DesiredAccount
from shared.contracts.ids import AccountId, RouterId
from shared.contracts.inventory import Subscriber
from shared.contracts.vocabulary import AccountStatus, Language, Service


class ApplyState(StrEnum):
    """How far the router is with the newest generation."""

    PENDING = "pending"
    APPLIED = "applied"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the router refused: our code, its own words, what to do."""

    code: str
    router_words: str
    advice: str


@dataclass(frozen=True, slots=True)
class Account:
    """A subscriber's account on one router. Times are UTC, `took_ms` is the router's part of the work."""

    id: AccountId
    router_id: RouterId
    service: Service
    name: str
    sealed_password: str
    profile: str
    status: AccountStatus
    created_at: datetime
    changed_at: datetime
    comment: str | None = None
    phone: str | None = None
    full_name: str = ""
    language: Language = Language.INDONESIAN
    tell_sessions: bool = True
    generation: int = 1
    applied_generation: int = 0
    apply_state: ApplyState = ApplyState.PENDING
    failure: Failure | None = None
    applied_at: datetime | None = None
    took_ms: float | None = None

    @property
    def gone(self) -> bool:
        """Deleted, and the router has followed: only history is left."""
        return self.status is AccountStatus.DELETED and self.apply_state is ApplyState.APPLIED


@dataclass(frozen=True, slots=True)
class AccountChange:
    """What shall be different; None leaves a field as it is. An empty phone removes the number."""

    sealed_password: str | None = None
    profile: str | None = None
    status: AccountStatus | None = None
    comment: str | None = None
    phone: str | None = None
    full_name: str | None = None
    language: Language | None = None
    tell_sessions: bool | None = None


def change_account(account: Account, change: AccountChange, now: datetime) -> Account:
    """The account's next generation."""
    wanted = {name: value for name in AccountChange.__slots__ if (value := getattr(change, name)) is not None}
    if wanted.get("phone") == "":
        wanted["phone"] = None
    return replace(
        account,
        **wanted,
        generation=account.generation + 1,
        apply_state=ApplyState.PENDING,
        failure=None,
        changed_at=now,
    )


def desired_state(account: Account, before: Account | None = None) -> DesiredAccount:
    """What the router shall have. Its session is closed when it must not go on as it is."""
    return DesiredAccount(
        account_id=account.id,
        router_id=account.router_id,
        generation=account.generation,
        service=account.service,
        name=account.name,
        sealed_password=account.sealed_password,
        profile=account.profile,
        status=account.status,
        comment=account.comment,
        disconnect=_ends_session(account, before),
    )


def _ends_session(account: Account, before: Account | None) -> bool:
    # A new profile's rate and pool are given out at log-in, so a running session would keep the old ones.
    return account.status is not AccountStatus.ACTIVE or (before is not None and before.profile != account.profile)


def settle_applied(account: Account, generation: int, at: datetime, took_ms: float) -> Account:
    """The account after the router reported `generation` done. An older report never overwrites a newer one."""
    if not account.applied_generation < generation <= account.generation:
        return account
    newest = generation == account.generation
    return replace(
        account,
        applied_generation=generation,
        applied_at=at,
        took_ms=took_ms,
        apply_state=ApplyState.APPLIED if newest else account.apply_state,
        failure=None if newest else account.failure,
    )


def settle_failed(account: Account, generation: int, failure: Failure) -> Account:
    """The account after the router refused `generation`; only the newest wish's refusal matters."""
    if generation != account.generation or account.applied_generation >= generation:
        return account
    return replace(account, apply_state=ApplyState.FAILED, failure=failure)


def subscriber_of(account: Account, time_zone: str) -> Subscriber | None:
    """How the person behind the account is reached; None without a number or when the account is deleted."""
    if account.phone is None or account.status is AccountStatus.DELETED:
        return None
    return Subscriber(
        router_id=account.router_id,
        service=account.service,
        name=account.name,
        full_name=account.full_name,
        phone=account.phone,
        language=account.language,
        time_zone=time_zone,
        tell_sessions=account.tell_sessions,
    )
