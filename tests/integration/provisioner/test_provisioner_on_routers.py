"""Accounts on the lab's routers, by the whole provisioner on a real NATS server, with no more rights than it gets."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from deploy.local.nats_server import NatsServer
from lab.routers import VirtualRouter
from shared.contracts.actions import DisconnectSession
from shared.contracts.events import AccountApplied
from shared.contracts.ids import RouterId
from shared.contracts.queries import ListProfiles, TestRouter
from shared.contracts.vocabulary import AccountStatus, Service
from shared.errors import NotAllowed, Unreachable
from shared.security.sealing import ACCOUNT_PASSWORD, ROUTER_PASSWORD, KeyRing, generate_key
from tests.integration.provisioner.desk_and_router import (
    FIRST,
    KEYS,
    MENU,
    RING,
    VERSIONS,
    Desk,
    desk_at,
    go_online,
    is_online,
    lab_router,
    provisioner_at,
    seal,
)
from tests.support.waiting import until

BOTH_SERVICES = pytest.mark.parametrize("service", list(Service))


@pytest.fixture
async def desk(nats_url: str) -> AsyncIterator[Desk]:
    async with desk_at(nats_url) as desk:
        yield desk


@pytest.fixture
def url(nats_url: str, shared_nats_server: NatsServer) -> str:
    """As the provisioner itself: what it may not do on the bus shows here."""
    assert nats_url, "emptied first"
    return shared_nats_server.url("provisioner")


@pytest.fixture(params=VERSIONS)
async def router(request: pytest.FixtureRequest) -> AsyncIterator[VirtualRouter]:
    async with lab_router(request.param) as router:
        yield router


@pytest.fixture
async def provisioner(url: str) -> AsyncIterator[None]:
    async with provisioner_at(url):
        yield


def log_ins(router: VirtualRouter) -> list[str]:
    """The lines that the router's administrator sees."""
    return [row["message"] for row in router.menu("/log").rows() if "logged in" in row["message"]]


@pytest.mark.mission("B1", "B2", "B3", "B4")
@BOTH_SERVICES
async def test_an_account_lives_from_creation_to_deletion(
    desk: Desk, router: VirtualRouter, provisioner: None, service: Service
):
    menu = router.menu(MENU[service])
    await desk.register(router)

    made = await desk.applied("budi", await desk.wish("gw-1", "budi", service=service, comment="rumah 7"))
    row = menu.row(name="budi")
    assert (row["profile"], row["password"], row["comment"]) == ("paket10", "rahasia", "rumah 7")
    assert made.steps == ("add profile=paket10",)
    await go_online(router, service)

    changed = await desk.applied("budi", await desk.wish("gw-1", "budi", service=service, sealed_password=seal("007")))
    assert changed.steps == ("set password",)
    assert menu.row(name="budi")["password"] == "007"
    assert is_online(router, service), "a new password is for the next log-in"

    moved = await desk.applied(
        "budi", await desk.wish("gw-1", "budi", service=service, sealed_password=seal("007"), profile="paket20")
    )
    assert moved.steps == ("set profile=paket20", "disconnect session")
    assert not is_online(router, service)

    await go_online(router, service, password="007")
    wish = {"service": service, "sealed_password": seal("007"), "profile": "paket20"}
    off = await desk.applied("budi", await desk.wish("gw-1", "budi", **wish, status=AccountStatus.DISABLED))
    assert off.steps == ("set disabled=yes", "disconnect session")
    assert menu.row(name="budi")["disabled"] == "true"
    assert not is_online(router, service)

    assert (await desk.applied("budi", await desk.wish("gw-1", "budi", **wish))).steps == ("set disabled=no",)
    await go_online(router, service, password="007")
    gone = await desk.applied("budi", await desk.wish("gw-1", "budi", **wish, status=AccountStatus.DELETED))
    assert gone.steps == ("remove", "disconnect session")
    assert menu.row(name="budi") is None
    assert not is_online(router, service)
    assert len(desk.events) == 6, "each generation is told once"


@BOTH_SERVICES
async def test_wrong_profile_comes_back_in_the_routers_words(
    desk: Desk, router: VirtualRouter, provisioner: None, service: Service
):
    await desk.register(router, name="Waru")
    failed = await desk.failed("budi", await desk.wish("gw-1", "budi", service=service, profile="emas"))
    assert (failed.code, failed.router_words) == ("profile_missing", "input does not match any value of profile")
    assert "Waru has no profile «emas»" in failed.advice
    assert "«paket10»" in failed.advice
    assert router.menu(MENU[service]).row(name="budi") is None
    await desk.applied("budi", await desk.wish("gw-1", "budi", service=service))


@BOTH_SERVICES
async def test_beginning_of_a_profile_name_is_not_taken_for_it(
    desk: Desk, router: VirtualRouter, provisioner: None, service: Service
):
    """The router itself would give `paket1` the only profile that begins so."""
    await desk.register(router)
    await desk.applied("budi", await desk.wish("gw-1", "budi", service=service))
    failed = await desk.failed("budi", await desk.wish("gw-1", "budi", service=service, profile="paket2"))
    assert failed.code == "profile_missing"
    assert router.menu(MENU[service]).row(name="budi")["profile"] == "paket10"


async def test_every_row_of_a_name_is_brought_to_the_same_state(desk: Desk, router: VirtualRouter, provisioner: None):
    """A hotspot with several servers: a disabled subscriber must not get in by the row of another server."""
    users = router.menu("/ip/hotspot/user")
    for server in ("hs1", "hs2"):
        users.add(name="budi", password="lama", server=server)
    await desk.register(router)
    await desk.applied("budi", await desk.wish("gw-1", "budi", service=Service.HOTSPOT, status=AccountStatus.DISABLED))
    assert [(row["server"], row["disabled"], row["profile"]) for row in users.rows(name="budi")] == [
        ("hs1", "true", "paket10"),
        ("hs2", "true", "paket10"),
    ]
    await desk.applied("budi", await desk.wish("gw-1", "budi", service=Service.HOTSPOT, status=AccountStatus.DELETED))
    assert users.rows(name="budi") == []


async def test_hidden_passwords_are_written_and_not_doubted(desk: Desk, provisioner: None):
    async with lab_router("7.21", group="blind") as router:
        await desk.register(router)
        await desk.applied("budi", await desk.wish("gw-1", "budi"))
        again = await desk.applied("budi", await desk.wish("gw-1", "budi", sealed_password=seal("baru")))
        assert again.steps == ("set password",)
        assert router.menu("/ppp/secret").row(name="budi")["password"] == "baru"


async def test_missing_rights_are_a_refusal_with_advice(desk: Desk, provisioner: None):
    async with lab_router(group="reader") as router:
        await desk.register(router, name="Waru")
        failed = await desk.failed("budi", await desk.wish("gw-1", "budi"))
        assert (failed.code, failed.router_words) == ("not_allowed", "not enough permissions (9)")
        assert "Waru" in failed.advice


async def test_absent_hotspot_is_a_refusal_with_advice(desk: Desk, provisioner: None):
    async with lab_router("6.49.18", packages=frozenset({"ppp", "dhcp"})) as router:
        await desk.register(router)
        failed = await desk.failed("budi", await desk.wish("gw-1", "budi", service=Service.HOTSPOT))
        assert failed.code == "feature_missing"
        assert "no such command" in failed.router_words


async def test_router_that_is_off_gets_only_the_last_state(desk: Desk, router: VirtualRouter, provisioner: None):
    await desk.register(router)
    await desk.applied("siti", await desk.wish("gw-1", "siti"))
    await router.faults.cut()
    for number in range(49):
        await desk.wish("gw-1", "budi", sealed_password=seal(f"sandi-{number}"))
    last = await desk.wish("gw-1", "budi", sealed_password=seal("terakhir"), profile="paket20")
    written: list[str] = []
    router.menu("/ppp/secret").listeners.append(lambda row: written.append(row.get("password", "")))
    await router.faults.restore()
    await desk.applied("budi", last)
    assert written == ["terakhir"]
    assert [event.generation for event in desk.events if event.name == "budi"] == [50]


async def test_many_accounts_wait_for_a_router_and_none_is_forgotten(desk: Desk, provisioner: None):
    """Cut in the middle of the work, several times: also what was being written then arrives."""
    async with lab_router(rtt_s=0.01) as router:
        secrets = router.menu("/ppp/secret")
        await desk.register(router)
        for number in range(200):
            await desk.wish("gw-1", f"user-{number}")
        for rows in (20, 90):
            await until(lambda rows=rows: len(secrets) >= rows)
            await router.faults.cut()
            await router.faults.restore()
        await until(lambda: len(desk.events) >= 200)
        assert all(isinstance(event, AccountApplied) for event in desk.events)
        assert sorted(row["name"] for row in secrets.rows()) == sorted(f"user-{number}" for number in range(200))


async def test_restarted_provisioner_goes_on_where_it_was(desk: Desk, url: str):
    async with lab_router(rtt_s=0.02) as router:
        secrets = router.menu("/ppp/secret")
        await desk.register(router)
        for number in range(100):
            await desk.wish("gw-1", f"user-{number}")
        for rows in (5, 40):
            async with provisioner_at(url):
                await until(lambda rows=rows: len(secrets) >= rows)
        async with provisioner_at(url):
            await until(lambda: len({event.name for event in desk.events}) == 100)
        assert len(secrets) == 100
        assert len(desk.events) == 100, "nothing is told twice"


async def test_settled_accounts_are_left_alone_by_a_restart(desk: Desk, router: VirtualRouter, url: str):
    await desk.register(router)
    async with provisioner_at(url):
        await desk.applied("budi", await desk.wish("gw-1", "budi"))
    router.menu("/ppp/secret").set("budi", password="by hand")
    async with provisioner_at(url):
        await desk.applied("siti", await desk.wish("gw-1", "siti"))
    assert len(desk.events) == 2
    assert router.menu("/ppp/secret").row(name="budi")["password"] == "by hand"


async def test_wrong_sealing_key_is_told_and_healed_by_the_right_one(desk: Desk, router: VirtualRouter, url: str):
    """The provisioner can open the router's password and lacks the key of the account's."""
    other = generate_key("k2")
    await desk.register(router)
    sealed = KeyRing.parse(other).seal(FIRST, purpose=ACCOUNT_PASSWORD)
    generation = await desk.wish("gw-1", "budi", sealed_password=sealed)
    async with provisioner_at(url):
        assert (await desk.failed("budi", generation)).code == "sealed"
        await desk.applied("siti", await desk.wish("gw-1", "siti"))
    assert router.menu("/ppp/secret").row(name="budi") is None
    async with provisioner_at(url, keys=f"{KEYS},{other}"):
        await until(lambda: any(isinstance(event, AccountApplied) for event in desk.of("budi", generation)))
    assert router.menu("/ppp/secret").row(name="budi")["password"] == FIRST


async def test_without_the_key_of_the_router_everything_waits(desk: Desk, router: VirtualRouter, url: str):
    await desk.register(router)
    generation = await desk.wish("gw-1", "budi")
    async with lab_router(name="gw-2") as other:
        await desk.register(other, sealed_password="")
        async with provisioner_at(url, keys=generate_key()):
            with pytest.raises(Unreachable):
                await desk.bus.request(ListProfiles(router_id=RouterId("gw-1")))
    assert desk.events == []
    async with provisioner_at(url, keys=KEYS):
        await desk.applied("budi", generation)


async def test_router_comes_and_goes_in_the_inventory(desk: Desk, router: VirtualRouter, provisioner: None):
    """Work waits for a router that is unknown or switched off, and is done after."""
    first = await desk.wish("gw-1", "budi")
    known = await desk.register(router, enabled=False)
    await desk.register(router)
    await desk.applied("budi", first)
    await desk.register(router, enabled=False)
    await until(lambda: router.server.connections == 0)
    second = await desk.wish("gw-1", "budi", profile="paket20")
    await desk.inventory.delete(known.key())
    known = await desk.register(router)
    await desk.applied("budi", second)
    await desk.register(router, name="Waru", sealed_password=known.sealed_password)
    failed = await desk.failed("budi", await desk.wish("gw-1", "budi", profile="emas"))
    assert "Waru" in failed.advice
    assert len(log_ins(router)) == 2, "a new name is no reason to log in again"


async def test_new_password_of_a_router_is_used_at_once(desk: Desk, router: VirtualRouter, provisioner: None):
    """A refused log-in is tried again after a minute only; a new password in the inventory does not wait for that."""
    await desk.register(router, sealed_password=RING.seal("wrong", purpose=ROUTER_PASSWORD))
    generation = await desk.wish("gw-1", "budi")
    await until(lambda: any("login failure" in row["message"] for row in router.menu("/log").rows()))
    await desk.register(router)
    await desk.applied("budi", generation)


async def test_new_address_of_a_router_is_used(desk: Desk, provisioner: None):
    async with lab_router() as old, lab_router("6.49.18") as new:
        await desk.register(old)
        await desk.applied("budi", await desk.wish("gw-1", "budi"))
        await desk.register(new)
        await until(lambda: old.server.connections == 0)
        await desk.applied("siti", await desk.wish("gw-1", "siti"))
        assert new.menu("/ppp/secret").row(name="siti") is not None


async def test_account_that_moves_to_another_router_is_removed_from_the_first(desk: Desk, provisioner: None):
    async with lab_router() as old, lab_router(name="gw-2") as new:
        await desk.register(new)
        await desk.wish("gw-1", "budi")
        removed = await desk.wish("gw-1", "budi", status=AccountStatus.DELETED)
        await desk.applied("budi", await desk.wish("gw-2", "budi"))
        old.menu("/ppp/secret").add(name="budi")
        await desk.register(old)
        await desk.applied("budi", removed)
        assert old.menu("/ppp/secret").row(name="budi") is None
        assert new.menu("/ppp/secret").row(name="budi") is not None


async def test_router_that_hangs_keeps_nobody_waiting(desk: Desk, provisioner: None):
    async with lab_router() as hanging, lab_router(name="gw-2") as other:
        hanging.faults.hang()
        await desk.register(hanging)
        await desk.register(other)
        for number in range(300):
            await desk.wish("gw-1", f"user-{number}")
        await desk.applied("budi", await desk.wish("gw-2", "budi"))
        assert {event.router_id for event in desk.events} == {"gw-2"}


async def test_a_command_that_is_never_answered_is_tried_again(desk: Desk, provisioner: None):
    """The router hangs when the row is to be written, the connection is found dead, the next one does it."""
    async with lab_router() as router:
        await desk.register(router)
        await desk.applied("siti", await desk.wish("gw-1", "siti"))
        router.faults.hang()
        generation = await desk.wish("gw-1", "budi")
        await until(lambda: router.server.connections == 1)
        await router.faults.restore()
        await desk.applied("budi", generation)


@BOTH_SERVICES
async def test_an_order_to_disconnect_closes_the_session(
    desk: Desk, router: VirtualRouter, provisioner: None, service: Service
):
    await desk.register(router)
    await desk.applied("budi", await desk.wish("gw-1", "budi", service=service))
    await go_online(router, service)
    order = DisconnectSession(router_id=RouterId("gw-1"), service=service, account="budi", requested_by="sari")
    await desk.bus.publish(order)
    await until(lambda: not is_online(router, service))


async def test_a_poisoned_message_becomes_a_dead_letter_and_stops_nobody(
    desk: Desk, router: VirtualRouter, provisioner: None
):
    await desk.register(router)
    await desk.wish("gw-1", "racun")
    await desk.told("racun", 1)
    headers = {"ce-id": "x", "ce-type": "ronda.v1.desired.account", "ce-source": "x", "ce-time": "2026-11-20T14:04:17Z"}
    await desk.bus.publish_stored("ronda.v1.desired.account.gw-1.x", headers, b'{"generation": "many"}')
    await desk.applied("budi", await desk.wish("gw-1", "budi"))
    [letter] = await desk.bus.dead_letters.list()
    assert letter.consumer == "provisioner"


async def test_a_router_is_tried_before_it_is_registered(desk: Desk, router: VirtualRouter, provisioner: None):
    trial = await desk.register(router, id="trial", enabled=False)
    router.menu("/ip/hotspot/user").add(name="vc1")
    found = await desk.bus.request(TestRouter(router=trial))
    assert (found.identity, found.board) == ("gw-1", "CHR")
    assert found.version == router.personality.version
    assert (found.hotspot_users, found.ppp_secrets) == (1, 0)
    assert found.missing_policies == ()
    assert {"read", "write", "api"} <= set(found.policies)


async def test_missing_policies_and_wrong_passwords_are_shown(desk: Desk, provisioner: None):
    async with lab_router(group="reader") as router:
        trial = await desk.register(router, id="trial", enabled=False)
        assert (await desk.bus.request(TestRouter(router=trial))).missing_policies == ("write",)
        router.faults.change_password("ronda", "another")
        with pytest.raises(NotAllowed, match="invalid user name or password"):
            await desk.bus.request(TestRouter(router=trial))
        await router.faults.cut()
        with pytest.raises(Unreachable, match="refused"):
            await desk.bus.request(TestRouter(router=trial))


async def test_profiles_are_listed(desk: Desk, router: VirtualRouter, provisioner: None):
    await desk.register(router)
    await desk.applied("budi", await desk.wish("gw-1", "budi"))
    found = await desk.bus.request(ListProfiles(router_id=RouterId("gw-1")))
    assert found.hotspot == ("default", "paket10", "paket20")
    assert set(found.ppp) == {"default", "default-encryption", "paket10", "paket20"}
    with pytest.raises(Unreachable, match="not in the inventory"):
        await desk.bus.request(ListProfiles(router_id=RouterId("nowhere")))
