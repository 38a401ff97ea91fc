"""Sessions end to end: a subscriber logs in at a virtual router, and the bus carries it."""

from __future__ import annotations

import pytest

from shared.contracts.events import RouterReachable, RouterUnreachable, SessionClosed, SessionOpened
from shared.contracts.vocabulary import Service
from shared.security.sealing import ROUTER_PASSWORD, KeyRing
from tests.integration.poller.conftest import BUDI, KEYS
from tests.support.waiting import until

VERSIONS = pytest.mark.parametrize("version", ["6.49.18", "7.16.2", "7.20.8"])


@pytest.mark.mission("B5")
@VERSIONS
async def test_pppoe_session_is_told_from_dialling_to_hanging_up(lab, version):
    async with lab(version) as here, here.poller():
        await here.followed()
        session = await here.router.pppoe_dial(**BUDI)
        [opened] = await until(lambda: here.of(SessionOpened))
        here.router.pppoe_hangup("budi")
        [closed] = await until(lambda: here.of(SessionClosed))
    assert (opened.service, opened.account, opened.mac) == (Service.PPP, "budi", BUDI["mac"])
    assert opened.address == session.address
    assert (closed.session_id, closed.opened_at) == (opened.session_id, opened.at)


@pytest.mark.mission("B5")
@VERSIONS
async def test_hotspot_session_is_told_from_login_to_logout(lab, version):
    async with lab(version) as here, here.poller():
        await here.followed()
        await here.hotspot_login()
        [opened] = await until(lambda: here.of(SessionOpened))
        here.router.hotspot_logout(user="vc1")
        [closed] = await until(lambda: here.of(SessionClosed))
    assert (opened.service, opened.account, opened.address) == (Service.HOTSPOT, "vc1", "10.5.0.17")
    assert not opened.inferred
    assert closed.session_id == opened.session_id


@pytest.mark.parametrize(
    "packages", [frozenset({"ppp", "dhcp"}), frozenset({"hotspot", "dhcp"})], ids=["no-hotspot", "no-ppp"]
)
async def test_missing_package_is_no_trouble(lab, packages):
    async with lab("6.49.18", packages=packages) as here, here.poller():
        await here.followed()
        if here.router.ppp is None:
            await here.hotspot_login()
        else:
            await here.router.pppoe_dial(**BUDI)
        await until(lambda: here.of(SessionOpened))
    assert here.of(RouterUnreachable) == []


async def test_restart_of_the_poller_tells_only_what_changed_meanwhile(lab):
    async with lab("7.16.2") as here:
        async with here.poller():
            await here.followed()
            await here.router.pppoe_dial(**BUDI)
            await until(lambda: here.of(SessionOpened))
        await here.hotspot_login()
        async with here.poller():
            await until(lambda: len(here.of(SessionOpened)) == 2)
        here.router.pppoe_hangup("budi")
        async with here.poller():
            await until(lambda: here.of(SessionClosed))
    assert [(event.account, event.inferred) for event in here.of(SessionOpened)] == [("budi", False), ("vc1", True)]
    [closed] = here.of(SessionClosed)
    assert (closed.account, closed.inferred) == ("budi", True)
    assert closed.session_id == here.of(SessionOpened)[0].session_id
    assert len(here.of(RouterReachable)) == 1


async def test_reboot_of_the_router_closes_its_sessions_once_it_can_be_asked(lab):
    async with lab("7.16.2") as here, here.poller():
        await here.followed()
        await here.router.pppoe_dial(**BUDI)
        await until(lambda: here.of(SessionOpened))
        await here.router.reboot()
        [closed] = await until(lambda: here.of(SessionClosed))
    assert closed.inferred


async def test_wrong_password_is_told_and_the_right_one_counts_at_once(lab):
    async with lab("7.16.2") as here, here.poller():
        wrong = KeyRing.parse(KEYS).seal("salah", purpose=ROUTER_PASSWORD)
        await here.followed()
        await here.register(sealed_password=wrong)
        [lost] = await until(lambda: here.of(RouterUnreachable))
        await here.register()
        await until(lambda: len(here.of(RouterReachable)) == 2)
    assert "invalid user name or password" in lost.reason


async def test_disabled_router_is_left_alone(lab):
    async with lab("7.16.2") as here, here.poller():
        await here.followed()
        await here.register(enabled=False)
        await until(lambda: here.router.server.connections == 0)
        await here.register()
        await until(lambda: here.router.server.connections == 1)
    assert [type(event) for event in here.events] == [RouterReachable]
