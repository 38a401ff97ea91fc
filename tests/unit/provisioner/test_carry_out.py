"""One account, one router: what is written, what is said, and that a crash anywhere changes neither."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.provisioner.faults import RouterAway
from services.provisioner.ports import Mark
from shared.contracts.desired import DesiredAccount
from shared.contracts.events import AccountApplied, AccountFailed
from shared.contracts.ids import AccountId
from shared.contracts.vocabulary import AccountStatus, Service
from shared.errors import DeadlineExceeded, Temporary, Unreachable
from shared.security.sealing import KeyRing, generate_key
from tests.fakes.provisioning import PROFILES, ROUTER, ROWS, Crash, World, desired

ACCOUNT = AccountId("01acc0")
AMBIGUOUS = "more than one possible value matches input"
VERSIONS = ("6.49.18 (long-term)", "7.16.2 (stable)", "7.21 (stable)")


def outcome(world: World, generation: int = 1) -> AccountApplied | AccountFailed:
    [said] = [each for each in world.publisher.said.values() if each.generation == generation]  # type: ignore[attr-defined]
    assert isinstance(said, AccountApplied | AccountFailed)
    return said


async def refused(world: World, **fields: object) -> AccountFailed:
    await world.carry_out(desired(**fields))  # type: ignore[arg-type]
    said = outcome(world)
    assert isinstance(said, AccountFailed)
    assert world.progress.marks[ROUTER, ACCOUNT].settled == 1, "nothing is tried again until a newer one comes"
    return said


async def test_settled_generation_is_left_alone():
    world = World()
    await world.carry_out(desired(2))
    for generation in (1, 2):
        world.router.calls.clear()
        await world.carry_out(desired(generation, password="other"))
        assert world.router.calls == []
    assert world.publisher.times == 1


async def test_all_as_wanted_is_applied_without_a_step_or_a_second_look():
    world = World()
    await world.carry_out(desired(1))
    world.router.calls.clear()
    await world.carry_out(desired(2))
    assert [command for command, _ in world.router.calls] == ["/ppp/secret/print"]
    assert outcome(world, 2).steps == ()  # type: ignore[union-attr]


async def test_cookies_go_before_the_session():
    """With a cookie left the client would be back at once."""
    world = World()
    for name in ("budi", "siti"):
        world.router.put("/ip/hotspot/cookie", {"user": name})
        world.log_in(Service.HOTSPOT, name)
    await world.carry_out(desired(service=Service.HOTSPOT, status=AccountStatus.DELETED))
    removed = [command for command, _ in world.router.calls if command.endswith("/remove")]
    assert removed == ["/ip/hotspot/cookie/remove", "/ip/hotspot/active/remove"]
    assert [row["user"] for row in world.sessions(Service.HOTSPOT)] == ["siti"]


@pytest.mark.parametrize(
    ("command", "words", "code"),
    [
        ("/ppp/secret/add", "input does not match any value of profile", "profile_missing"),
        (
            "/ppp/secret/add",
            "ambiguous value of profile, more than one possible value matches input",
            "profile_missing",
        ),
        ("/ppp/secret/add", "failure: secret with the same name already exists", "conflict"),
        ("/ppp/secret/add", "not enough permissions (9)", "not_allowed"),
        ("/ppp/secret/print", "not enough permissions (9)", "not_allowed"),
        ("/ppp/secret/add", "invalid value for argument name", "invalid"),
        ("/ppp/secret/add", "failure: something nobody has seen", "rejected"),
    ],
)
async def test_refusals_are_told_in_the_routers_words(command: str, words: str, code: str):
    world = World()
    world.router.refuse(command, words)
    said = await refused(world)
    assert (said.code, said.router_words) == (code, words)
    assert "gw of 01r0ut" in said.advice


async def test_absent_menu_is_told():
    world = World()
    del world.router.menus["/ip/hotspot/user"]
    assert (await refused(world, service=Service.HOTSPOT)).code == "feature_missing"


async def test_beginning_of_profile_names_is_refused_before_anything_is_written():
    world = World()
    said = await refused(world, profile="paket")
    assert said.code == "profile_missing"
    assert "«paket10», «paket20»" in said.advice
    assert world.rows() == []


async def test_what_the_router_did_not_keep_is_told():
    world = World()
    world.router.commands["/ppp/secret/add"] = lambda attributes: (
        [],
        world.router.put("/ppp/secret", {**attributes, "comment": "mangled"}),  # type: ignore[dict-item]
    )
    said = await refused(world, comment="ours")
    assert (said.code, said.router_words) == ("not_kept", "the router shows comment otherwise")


async def test_password_that_cannot_be_opened_is_told_and_tried_again_later():
    world = World()
    world.keys = KeyRing.parse(generate_key())
    await world.carry_out(desired())
    assert outcome(world).code == "sealed"  # type: ignore[union-attr]
    assert world.router.calls == []
    assert world.progress.marks == {}


async def test_removal_needs_no_password():
    world = World()
    await world.carry_out(desired(1))
    world.keys = KeyRing.parse(generate_key())
    await world.carry_out(desired(2, status=AccountStatus.DELETED))
    assert world.rows() == []
    assert isinstance(outcome(world, 2), AccountApplied)


@pytest.mark.parametrize("command", ["/ppp/secret/print", "/ppp/profile/print", "/ppp/secret/add"])
async def test_late_answer_settles_nothing(command: str):
    world = World()
    world.router.silence(command)
    with pytest.raises(DeadlineExceeded):
        await world.carry_out(desired())
    assert (world.publisher.said, world.progress.marks) == ({}, {})
    world.router.silence(command, silent=False)
    await world.carry_out(desired())
    assert isinstance(outcome(world), AccountApplied)


async def test_row_that_vanishes_between_look_and_change_is_looked_for_again():
    """Acknowledging that as an absent router would forget the account: nobody would return."""
    world = World()
    await world.carry_out(desired(1))
    world.router.refuse("/ppp/secret/set", "no such item")
    with pytest.raises(Temporary) as again:
        await world.carry_out(desired(2, password="new"))
    assert not isinstance(again.value, Unreachable)
    world.router.refuse("/ppp/secret/set")
    await world.carry_out(desired(2, password="new"))
    assert world.rows()[0]["password"] == "new"


async def test_row_that_appears_between_look_and_add_is_taken_over():
    world = World()

    def taken(attributes: dict) -> tuple[list, None]:
        del world.router.commands["/ppp/secret/add"]
        world.router.put("/ppp/secret", {"name": attributes["name"], "password": "by hand", "profile": "default"})
        return world.router.handle("/ppp/secret/add", attributes)  # type: ignore[return-value]

    world.router.commands["/ppp/secret/add"] = taken  # type: ignore[assignment]
    with pytest.raises(Temporary):
        await world.carry_out(desired())
    await world.carry_out(desired())
    assert [row["password"] for row in world.rows()] == ["rahasia"]


async def test_absent_router_settles_nothing():
    world = World(away=True)
    with pytest.raises(RouterAway):
        await world.carry_out(desired())
    assert (world.publisher.said, world.progress.marks) == ({}, {})


async def test_lost_mark_is_no_refusal_of_the_router():
    """Somebody else wrote the mark meanwhile: tried again with a fresh look, told once."""
    world = World()
    world.progress.fails = 1
    with pytest.raises(Temporary):
        await world.carry_out(desired())
    await world.carry_out(desired())
    assert isinstance(outcome(world), AccountApplied)
    assert world.progress.marks[ROUTER, ACCOUNT] == Mark(1)


async def test_refusal_to_close_leaves_the_close_owed_to_the_next_generation():
    world = World()
    await world.carry_out(desired(1))
    world.log_in()
    world.router.refuse("/ppp/active/remove", "not enough permissions (9)")
    await world.carry_out(desired(2, profile="paket20"))
    assert isinstance(outcome(world, 2), AccountFailed)
    world.router.refuse("/ppp/active/remove")
    await world.carry_out(desired(3, profile="paket20"))
    assert world.sessions() == []


wishes = st.fixed_dictionaries(
    {
        "password": st.sampled_from(["a", "no", "123"]),
        "profile": st.sampled_from(PROFILES),
        "status": st.sampled_from(list(AccountStatus)),
        "disconnect": st.booleans(),
        "comment": st.sampled_from([None, "", "rumah 7"]),
    }
)
stories = st.lists(st.tuples(wishes, st.lists(st.integers(1, 30), max_size=3)), min_size=1, max_size=4)


async def live_through(world: World, service: Service, story: list) -> DesiredAccount:
    """Generation after generation; each is begun by processes that end, and not always finished before the next."""
    state = desired()
    for generation, (wish, moments) in enumerate(story, start=1):
        state = desired(generation, service=service, **wish)
        for moment in moments:
            world.fate.dies_at(moment)
            with contextlib.suppress(Crash):
                await world.carry_out(state)
    world.fate.dies_at(None)
    await world.carry_out(state)
    return state


@settings(max_examples=300, deadline=None)
@given(
    story=stories,
    service=st.sampled_from(list(Service)),
    version=st.sampled_from(VERSIONS),
    blind=st.booleans(),
    before=st.none() | st.sampled_from(PROFILES),
)
async def test_any_crash_anywhere_ends_in_the_same_state_told_once(
    story: list, service: Service, version: str, blind: bool, before: str | None
):
    world = World(version=version, blind=blind)
    if before is not None:
        world.router.put(ROWS[service], {"name": "budi", "password": "x", "profile": before, "disabled": "false"})
        world.log_in(service)
    other = world.log_in(service, "siti")
    last = await live_through(world, service, story)

    rows = world.rows(service)
    if last.status is AccountStatus.DELETED:
        assert rows == []
    else:
        [row] = rows
        shown = {name: row[name] for name in ("password", "profile", "disabled")}
        off = "true" if last.status is AccountStatus.DISABLED else "false"
        assert shown == {"password": story[-1][0]["password"], "profile": last.profile, "disabled": off}
        if last.comment is not None:
            assert row.get("comment", "") == last.comment
    told = [each for each in world.publisher.said.values() if each.generation == last.generation]  # type: ignore[attr-defined]
    assert [type(each) for each in told] == [AccountApplied]
    assert world.progress.marks[ROUTER, ACCOUNT] == Mark(last.generation)

    left = {session[".id"] for session in world.sessions(service)}
    assert other in left
    if before is not None and (last.status is not AccountStatus.ACTIVE or before != last.profile):
        assert left == {other}, "a session with the old rights is left"
    quiet = all(
        w["status"] is AccountStatus.ACTIVE and w["profile"] == before and not w["disconnect"] for w, _ in story
    )
    if before is not None and quiet:
        assert len(left) == 2, "a session was closed without a reason"


@pytest.mark.parametrize("moment", range(1, 40))
async def test_each_crash_point_of_a_move_to_another_profile_closes_the_session(moment: int):
    """After the row is changed nothing on the router shows any more that the session has old rights."""
    world = World()
    await world.carry_out(desired(1))
    world.log_in()
    world.fate.dies_at(moment)
    with contextlib.suppress(Crash):
        await world.carry_out(desired(2, profile="paket20"))
    world.fate.dies_at(None)
    await world.carry_out(desired(3, profile="paket20", password="newer"))
    assert world.sessions() == []
    assert world.rows()[0]["profile"] == "paket20"
