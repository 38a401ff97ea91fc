"""Generations of an account: the newest wish wins, whatever the router reports late."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.core.account import (
    Account,
    AccountChange,
    ApplyState,
    Failure,
    change_account,
    desired_state,
    settle_applied,
    settle_failed,
    subscriber_of,
)
from services.api.core.phone import normalise_phone
from shared.contracts.ids import AccountId, RouterId
from shared.contracts.vocabulary import AccountStatus, Service

NOW = datetime(2026, 11, 20, 14, 4, 17, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
NO = Failure("rejected", "no such profile", "make it")
BUDI = Account(
    id=AccountId("a"),
    router_id=RouterId("r"),
    service=Service.PPP,
    name="budi",
    sealed_password="k1.x.y",
    profile="paket10",
    status=AccountStatus.ACTIVE,
    created_at=NOW,
    changed_at=NOW,
    phone="6285712345678",
)


def test_change_is_the_next_generation_and_waits() -> None:
    failed = settle_failed(BUDI, 1, NO)
    after = change_account(failed, AccountChange(profile="paket20"), LATER)
    assert (after.generation, after.apply_state, after.failure, after.profile) == (
        2,
        ApplyState.PENDING,
        None,
        "paket20",
    )
    assert after.name == "budi"


def test_empty_phone_removes_the_number() -> None:
    assert change_account(BUDI, AccountChange(phone=""), LATER).phone is None
    assert change_account(BUDI, AccountChange(profile="x"), LATER).phone == "6285712345678"


@pytest.mark.parametrize(
    ("change", "ends"),
    [
        (AccountChange(status=AccountStatus.DISABLED), True),
        (AccountChange(status=AccountStatus.DELETED), True),
        (AccountChange(profile="paket20"), True),
        (AccountChange(sealed_password="k1.z.z"), False),
        (AccountChange(full_name="Budi"), False),
    ],
    ids=["isolated", "deleted", "new profile", "new password", "name of the person"],
)
def test_session_ends_when_it_must_not_go_on(change: AccountChange, ends: bool) -> None:
    assert desired_state(change_account(BUDI, change, LATER), BUDI).disconnect is ends


def test_report_of_an_older_generation_leaves_the_newest_waiting() -> None:
    third = replace(BUDI, generation=3)
    after = settle_applied(third, 2, LATER, 80.0)
    assert (after.applied_generation, after.apply_state) == (2, ApplyState.PENDING)
    assert settle_failed(third, 2, NO) is third


@given(st.permutations([("ok", 1), ("no", 1), ("ok", 2), ("no", 2), ("ok", 3)]))
def test_any_order_of_reports_ends_with_the_newest_applied(reports: list[tuple[str, int]]) -> None:
    account = replace(BUDI, generation=3)
    for kind, generation in reports:
        account = (
            settle_applied(account, generation, LATER, 1.0) if kind == "ok" else settle_failed(account, generation, NO)
        )
    assert (account.apply_state, account.applied_generation, account.failure) == (ApplyState.APPLIED, 3, None)


def test_deleted_account_has_no_subscriber() -> None:
    assert subscriber_of(BUDI, "Asia/Jakarta") is not None
    assert subscriber_of(replace(BUDI, status=AccountStatus.DELETED), "Asia/Jakarta") is None
    assert subscriber_of(replace(BUDI, phone=None), "Asia/Jakarta") is None


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("0857-1234-5678", "6285712345678"),
        ("+62 857 1234 5678", "6285712345678"),
        ("0062857123456", "62857123456"),
        ("6285712345678", "6285712345678"),
        ("12", None),
        ("0857x", None),
        ("٠٨٥٧١٢٣٤٥٦٧٨", None),
        ("1" * 16, None),
    ],
)
def test_phone_numbers_are_kept_as_chat_servers_want_them(written: str, kept: str | None) -> None:
    assert normalise_phone(written) == kept
