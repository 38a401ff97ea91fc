"""The api's steps on an in-memory store, events through the real HANDLERS."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.api.core.account import Account, AccountChange, ApplyState
from services.api.core.faults import (
    ChangedMeanwhile,
    Faulty,
    NameTaken,
    NotAuthenticated,
    RenameNotSupported,
    StillInUse,
)
from services.api.core.rights import Scope
from services.api.core.standings import RouterState
from services.api.core.throttle import LoginThrottle
from services.api.handlers import HANDLERS, accounts, inventory, people
from services.api.handlers.live import BoardBell
from services.api.handlers.projections import bind
from shared.bus.context import handling
from shared.contracts.desired import DesiredAccount
from shared.contracts.envelope import Envelope
from shared.contracts.events import (
    AccountApplied,
    AccountFailed,
    AlertOpened,
    Event,
    HostDown,
    HostUp,
    InventoryChanged,
    RouterUnreachable,
    SessionClosed,
)
from shared.contracts.ids import AccountId, RouterId
from shared.contracts.vocabulary import AccountStatus, HostState, Role, Service
from shared.errors import NotFound, Unreachable
from tests.fakes.api_store import FakeStore
from tests.fakes.clock import FakeClock


class PlainSealer:
    def seal(self, plain: str, *, purpose: str) -> str:
        return f"{purpose}.{plain[::-1]}"


class PlainHasher:
    def hash(self, password: str) -> str:
        return f"hash of {password}"

    def verify(self, password_hash: str, password: str) -> bool:
        return password_hash == self.hash(password)


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


async def tell(store: FakeStore, event: Event, clock: FakeClock, bell: BoardBell | None = None) -> None:
    """As the bus would: each handler of the event's type, within its envelope."""
    for handler in bind(HANDLERS, store=store, bell=bell or BoardBell())[type(event)]:
        with handling(Envelope.around(event, source="test", now=clock.now())):
            await handler(event)


async def add_router(store: FakeStore, clock: FakeClock) -> str:
    fields = {"name": "gw", "host": "10.0.0.1", "port": 8728, "username": "u"}
    async with store.unit() as unit:
        kept = await inventory.add_router(
            fields, password="rahasia", by="sari", unit=unit, clock=clock, sealer=PlainSealer()
        )
    return kept.entity.id


async def add_account(store: FakeStore, clock: FakeClock, router_id: str, **extra: Any) -> Account:
    now = clock.now()
    wanted = Account(
        id=AccountId("a1"),
        router_id=RouterId(router_id),
        service=Service.PPP,
        name="budi",
        sealed_password="sealed",
        profile="paket10",
        status=AccountStatus.ACTIVE,
        created_at=now,
        changed_at=now,
        phone="62857123456",
    )
    async with store.unit() as unit:
        return await accounts.add_account(
            replace(wanted, **extra), by="sari", unit=unit, clock=clock, time_zone="Asia/Jakarta"
        )


async def change(store: FakeStore, clock: FakeClock, wanted: AccountChange, **extra: Any) -> Account:
    async with store.unit() as unit:
        return await accounts.change("a1", wanted, by="sari", unit=unit, clock=clock, time_zone="UTC", **extra)


def test_every_event_has_a_handler() -> None:
    assert {HostDown, SessionClosed, AccountApplied, AlertOpened, InventoryChanged} <= set(HANDLERS)


async def test_first_router_brings_its_site_and_seals_its_password(store: FakeStore, clock: FakeClock) -> None:
    router_id = await add_router(store, clock)
    router = store.rows.announced[f"router.{router_id}"]
    assert router.sealed_password == "router-password.aisahar"
    assert f"site.{router.site_id}" in store.rows.announced
    assert [(event.entity, event.change) for event in store.published(InventoryChanged)] == [
        ("site", "added"),
        ("router", "added"),
    ]
    assert "rahasia" not in str(store.rows.audit)


async def test_change_and_its_message_are_one(store: FakeStore, clock: FakeClock) -> None:
    router_id = await add_router(store, clock)

    def gone() -> None:
        raise Unreachable("the database went away")

    store.breaks = gone
    with pytest.raises(Unreachable):
        await add_account(store, clock, router_id)
    assert store.rows.accounts == {}
    assert store.published(DesiredAccount) == []


async def test_generations_count_and_the_name_stays(store: FakeStore, clock: FakeClock) -> None:
    await add_account(store, clock, await add_router(store, clock))
    await change(store, clock, AccountChange(profile="paket20"), name="budi")
    assert [desired.generation for desired in store.published(DesiredAccount)] == [1, 2]
    with pytest.raises(RenameNotSupported):
        await change(store, clock, AccountChange(), name="siti")
    with pytest.raises(ChangedMeanwhile):
        await change(store, clock, AccountChange(profile="x"), if_generation=1)
    assert store.rows.accounts["a1"].generation == 2


async def test_taken_name_and_unknown_router_are_refused(store: FakeStore, clock: FakeClock) -> None:
    router_id = await add_router(store, clock)
    await add_account(store, clock, router_id)
    with pytest.raises(NameTaken):
        await add_account(store, clock, router_id, id=AccountId("a2"))
    with pytest.raises(Faulty):
        await add_account(store, clock, "nowhere")
    async with store.unit() as unit:
        with pytest.raises(StillInUse):
            await inventory.remove_router(router_id, by="sari", unit=unit, clock=clock)


async def test_deleting_twice_is_deleting_once(store: FakeStore, clock: FakeClock) -> None:
    await add_account(store, clock, await add_router(store, clock))
    for _ in range(2):
        async with store.unit() as unit:
            await accounts.delete("a1", by="sari", unit=unit, clock=clock, time_zone="UTC")
    assert [desired.status for desired in store.published(DesiredAccount)] == ["active", "deleted"]
    assert store.rows.announced[next(key for key in store.rows.announced if key.startswith("subscriber."))] is None
    with pytest.raises(NotFound):
        await change(store, clock, AccountChange(profile="x"))


async def test_repeated_event_is_projected_once(store: FakeStore, clock: FakeClock) -> None:
    bell = BoardBell()
    for _ in range(2):
        await tell(store, HostDown.example(), clock, bell)
    assert (len(store.rows.events), bell.count) == (1, 1)


async def test_host_is_down_since_its_first_loss(store: FakeStore, clock: FakeClock) -> None:
    event = HostDown.example()
    await tell(store, HostUp.model_validate(HostUp.EXAMPLE | {"transition": 2}), clock)
    await tell(store, event, clock)
    standing = store.rows.hosts["01h0st"]
    assert (standing.state, standing.since, standing.likely_causes) == (
        HostState.DOWN,
        event.since,
        event.likely_causes,
    )


async def test_events_of_what_we_do_not_know_are_history_only(store: FakeStore, clock: FakeClock) -> None:
    await tell(store, AccountApplied.example(), clock)
    await tell(store, AccountFailed.example(), clock)
    await tell(store, RouterUnreachable.example(), clock)
    assert len(store.rows.events) == 3
    assert store.rows.accounts == {}
    assert store.rows.routers["01r0ut"].state is RouterState.UNREACHABLE


async def test_report_settles_the_account(store: FakeStore, clock: FakeClock) -> None:
    await add_account(store, clock, await add_router(store, clock))
    told = AccountApplied.EXAMPLE | {"account_id": "a1", "generation": 1}
    await tell(store, AccountApplied.model_validate(told), clock)
    assert store.rows.accounts["a1"].apply_state is ApplyState.APPLIED


async def owner(store: FakeStore, clock: FakeClock) -> people.FirstOwner:
    return await people.create_owner(login="sari", store=store, hasher=PlainHasher(), clock=clock)


async def log_in(store: FakeStore, clock: FakeClock, password: str) -> people.LoggedIn:
    return await people.log_in(
        login="sari",
        password=password,
        address="192.0.2.1",
        store=store,
        hasher=PlainHasher(),
        throttle=LoginThrottle(),
        clock=clock,
    )


async def test_first_owners_password_is_told_once_and_kept_as_a_hash(store: FakeStore, clock: FakeClock) -> None:
    made = await owner(store, clock)
    [person] = store.rows.people.values()
    assert (person.role, person.password_hash) == (Role.OWNER, f"hash of {made.password}")
    with pytest.raises(NameTaken):
        await owner(store, clock)


async def test_session_ends_after_its_time_and_with_a_new_password(store: FakeStore, clock: FakeClock) -> None:
    made = await owner(store, clock)
    entered = await log_in(store, clock, made.password)
    caller = await people.caller_of_session(entered.cookie, store=store, clock=clock)
    assert caller.csrf == entered.session.csrf
    assert entered.cookie not in str(store.rows.sessions)

    wanted = {"password_hash": "hash of other"}
    async with store.unit() as unit:
        await people.change_person(caller.person_id, wanted, by="sari", unit=unit, clock=clock)
    with pytest.raises(NotAuthenticated):
        await people.caller_of_session(entered.cookie, store=store, clock=clock)

    again = await log_in(store, clock, "other")
    clock.advance(people.SESSION_LIFE.total_seconds())
    with pytest.raises(NotAuthenticated):
        await people.caller_of_session(again.cookie, store=store, clock=clock)


async def test_locked_person_is_out_at_once(store: FakeStore, clock: FakeClock) -> None:
    made = await owner(store, clock)
    secret = await people.make_token_for(
        login="sari", name="cli", scopes=frozenset({Scope.READ}), store=store, clock=clock
    )
    [person] = store.rows.people.values()
    store.rows.people[person.id] = replace(person, enabled=False)
    with pytest.raises(NotAuthenticated):
        await people.caller_of_token(secret, store=store, clock=clock)
    with pytest.raises(NotAuthenticated):
        await log_in(store, clock, made.password)
