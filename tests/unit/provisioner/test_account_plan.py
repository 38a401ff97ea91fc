"""What must be done so that a router has what is desired."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.provisioner.core.account import (
    AddRow,
    ChangeRow,
    CloseSessions,
    RemoveRow,
    Step,
    WantedAccount,
    differences,
    not_kept,
    plan,
    shadowing_profiles,
)
from services.provisioner.core.refusal import advice, profile_advice
from shared.contracts.vocabulary import AccountStatus, Service
from shared.security.secret import Secret


def wanted(**fields: object) -> WantedAccount:
    given_fields = {
        "service": Service.PPP,
        "name": "budi",
        "password": Secret("rahasia"),
        "profile": "paket10",
        "status": AccountStatus.ACTIVE,
        **fields,
    }
    return WantedAccount(**given_fields)  # type: ignore[arg-type]


def row(**fields: str) -> dict[str, str]:
    shown = {
        ".id": "*1",
        "name": "budi",
        "password": "rahasia",
        "profile": "paket10",
        "disabled": "false",
        "comment": "x",
    }
    return shown | fields


OFF, GONE = AccountStatus.DISABLED, AccountStatus.DELETED
CLOSE = CloseSessions()


@pytest.mark.parametrize(
    ("account", "rows", "steps"),
    [
        pytest.param(wanted(), [], ["add profile=paket10"], id="missing"),
        pytest.param(wanted(), [row()], [], id="as-wanted"),
        pytest.param(wanted(comment=None), [row(comment="of somebody")], [], id="comment-left-alone"),
        pytest.param(wanted(comment=""), [row(comment="old")], ["set comment="], id="comment-cleared"),
        pytest.param(wanted(comment=""), [{k: v for k, v in row().items() if k != "comment"}], [], id="no-comment"),
        pytest.param(wanted(password=Secret("no")), [row()], ["set password"], id="password"),
        pytest.param(
            wanted(profile="paket20"), [row()], ["set profile=paket20", "disconnect session"], id="other-profile"
        ),
        pytest.param(wanted(status=OFF), [row()], ["set disabled=yes", "disconnect session"], id="switched-off"),
        pytest.param(wanted(status=OFF), [row(disabled="yes")], ["disconnect session"], id="off-on-an-old-router"),
        pytest.param(wanted(), [row(disabled="true")], ["set disabled=no"], id="switched-on"),
        pytest.param(wanted(status=GONE), [row()], ["remove", "disconnect session"], id="deleted"),
        pytest.param(wanted(status=GONE), [], ["disconnect session"], id="deleted-already"),
        pytest.param(wanted(disconnect=True), [row()], ["disconnect session"], id="disconnect-asked-for"),
        pytest.param(wanted(), [row(password="1"), row(password="2")], ["set password"] * 2, id="a-row-per-server"),
    ],
)
def test_steps(account: WantedAccount, rows: list[dict[str, str]], steps: list[str]):
    assert [str(step) for step in plan(account, rows)] == steps


def test_hidden_password_is_written_each_time():
    hidden = {name: value for name, value in row().items() if name != "password"}
    assert differences(wanted(), hidden) == {"password": "rahasia"}
    assert not_kept(wanted(), [hidden]) == ()


def test_owed_close_is_paid_even_if_all_is_as_wanted():
    assert plan(wanted(), [row()], close_owed=True) == (CLOSE,)


def test_no_step_shows_a_password():
    everything = (*plan(wanted(), []), *plan(wanted(), [row(password="x")]))
    assert "rahasia" not in " ".join(map(str, everything))


@pytest.mark.parametrize(
    ("account", "rows", "strays"),
    [
        pytest.param(wanted(), [row()], (), id="kept"),
        pytest.param(wanted(), [], ("the account",), id="not-there"),
        pytest.param(wanted(status=GONE), [row()], ("the account",), id="still-there"),
        pytest.param(wanted(status=GONE), [], (), id="gone"),
        pytest.param(wanted(), [row(), row(profile="*2", disabled="true")], ("profile", "disabled"), id="one-of-two"),
    ],
)
def test_not_kept(account: WantedAccount, rows: list[dict[str, str]], strays: tuple[str, ...]):
    assert not_kept(account, rows) == strays


def test_profiles_that_only_begin_so_are_found():
    assert shadowing_profiles("paket1", ["paket10", "paket12", "emas"]) == ("paket10", "paket12")
    assert shadowing_profiles("paket1", ["paket1", "paket10"]) == ()
    assert shadowing_profiles("perak", ["paket10"]) == ()


def test_advice_names_router_and_profiles():
    text = profile_advice("Waru", wanted(profile="emas"), [f"p{number}" for number in range(14)])
    assert "Waru" in text
    assert "«emas»" in text
    assert "and 2 more" in text
    assert "it has none" in profile_advice("Waru", wanted(), [])
    assert "Waru" in advice("Waru", "a code nobody has seen")


values = st.sampled_from(["a", "b", "no", "true", "123", ""])
rows_of_a_name = st.lists(
    st.fixed_dictionaries(
        {"profile": st.sampled_from(["p1", "p2"]), "disabled": st.sampled_from(["true", "false", "yes", "no"])},
        optional={"password": values, "comment": values},
    ),
    max_size=3,
)
accounts = st.builds(
    wanted,
    password=st.builds(Secret, values),
    profile=st.sampled_from(["p1", "p2"]),
    status=st.sampled_from(list(AccountStatus)),
    comment=st.none() | values,
    disconnect=st.booleans(),
)


def perform(steps: tuple[Step, ...], rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """What a router makes of the steps."""
    table = {each[".id"]: dict(each) for each in rows}
    for step in steps:
        match step:
            case AddRow():
                table["*A"] = {".id": "*A", **step.properties}
            case ChangeRow():
                table[step.item] |= step.properties
            case RemoveRow():
                del table[step.item]
    return list(table.values())


@given(accounts, rows_of_a_name)
def test_steps_lead_to_what_is_wanted_and_a_second_look_finds_nothing(account: WantedAccount, fields: list):
    rows = [{".id": f"*{number}", "name": "budi", **each} for number, each in enumerate(fields)]
    after = perform(plan(account, rows), rows)
    assert not_kept(account, after) == ()
    assert all(isinstance(step, CloseSessions) for step in plan(account, after))
    assert all(each["profile"] == account.profile for each in after)


@given(accounts, rows_of_a_name)
def test_sessions_are_closed_last_and_only_with_a_reason(account: WantedAccount, fields: list):
    rows = [{".id": f"*{number}", "name": "budi", **each} for number, each in enumerate(fields)]
    steps = plan(account, rows)
    moved = any(each["profile"] != account.profile for each in rows)
    reason = account.status is not AccountStatus.ACTIVE or moved or account.disconnect
    assert (CLOSE in steps) == reason
    assert CLOSE not in steps[:-1]
