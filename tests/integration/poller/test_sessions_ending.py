"""How sessions end: why, with how many bytes, many at once, and not at all while the router only cannot be asked."""

from __future__ import annotations

import asyncio

import pytest

from lab.routers import VirtualRouter
from lab.routers.behaviour.user_manager import Nas
from shared.contracts.events import (
    Event,
    RouterReachable,
    RouterUnreachable,
    SessionClosed,
    SessionOpened,
    SessionsDropped,
    SessionsReturned,
)
from shared.contracts.vocabulary import DropCause, Saying, Service, SessionSource
from tests.fakes.notifier_watch import Watch
from tests.integration.poller.conftest import BUDI
from tests.support.waiting import until

VERSIONS = pytest.mark.parametrize("version", ["6.49.18", "7.16.2"])
MAC = "A4:5E:60:11:22:44"


def subscribers(router: VirtualRouter, count: int, **place: str) -> list[dict[str, str]]:
    """PPPoE accounts; `place` names the server on which they dial."""
    router.menu("/ip/pool").add(name="luas", ranges="10.30.0.10-10.30.3.250")
    router.menu("/ppp/profile").add(name="luas", local_address="10.30.0.1", remote_address="luas")
    found = []
    for number in range(count):
        user = f"rumah{number}"
        router.menu("/ppp/secret").add(name=user, password="pw", profile="luas", service="pppoe")
        mac = f"A4:5E:61:00:{number // 256:02X}:{number % 256:02X}"
        found.append({"user": user, "password": "pw", "mac": mac, **place})
    return found


def tables_read(router: VirtualRouter, *paths: str) -> list[str]:
    """Which of these tables have been read, in this order: the poller reads so what carries sessions."""
    read: list[str] = []

    def note(path: str) -> dict[str, str | None]:
        if len(read) < len(paths) and path == paths[len(read)]:
            read.append(path)
        return {}

    for path in paths:
        router.menu(path).views.append(lambda _item, path=path: note(path))
    return read


@VERSIONS
async def test_ends_are_told_with_the_reason_and_the_bytes_that_the_router_knows(lab, version):
    async with lab(version) as here, here.poller():
        await here.followed()
        line = await here.router.pppoe_dial(**BUDI)
        await here.hotspot_login()
        await until(lambda: len(here.of(SessionOpened)) == 2)
        line.meter.count(1_000_000, 7_000_000)
        here.router.pppoe_hangup("budi", "port-error")
        here.router.hotspot_logout(user="vc1", cause="keepalive timeout")
        await until(lambda: len(here.of(SessionClosed)) == 2)
    ends = {event.account: event for event in here.of(SessionClosed)}
    assert (ends["budi"].reason, ends["vc1"].reason) == ("peer is not responding", "keepalive timeout")
    assert (ends["budi"].bytes_in, ends["budi"].bytes_out, ends["budi"].bytes_at) == (1_000_000, 7_000_000, None)
    assert not any(event.inferred or event.drop_id for event in ends.values())


async def test_cut_line_with_300_subscribers_is_told_as_one_thing_and_so_is_their_return(lab):
    async with lab("7.16.2") as here, here.poller():
        router = here.router
        router.menu("/interface/vlan").add(name="vlan101", vlan_id="101", interface="ether2")
        router.menu("/interface/pppoe-server/server").add(service_name="desa", interface="vlan101", disabled="no")
        read = tables_read(router, "/interface/vlan", "/ip/pool")
        people = subscribers(router, 312, service="desa")
        for person in people:
            await router.pppoe_dial(**person)
        await here.followed()
        await until(lambda: len(here.of(SessionOpened)) == 312, within_s=30)
        await until(lambda: len(read) == 2)
        for number in range(300):
            router.pppoe_hangup(f"rumah{number}", "port-error")
            await asyncio.sleep(0.005)
        [drop] = await until(lambda: here.of(SessionsDropped), within_s=20)
        await until(lambda: len(here.of(SessionClosed)) == 300, within_s=20)
        for person in people[:300]:
            await router.pppoe_dial(**person)
        [returned] = await until(lambda: here.of(SessionsReturned), within_s=20)
    assert (drop.cause, drop.cause_name, drop.lost, drop.of) == (DropCause.VLAN, "vlan101", 300, 312)
    assert {event.drop_id for event in here.of(SessionClosed)} == {drop.drop_id}
    assert (returned.drop_id, returned.lost, returned.back >= 240) == (drop.drop_id, 300, True)
    assert len(here.of(SessionsDropped)) == 1
    await told_in_one_message([*here.of(SessionClosed), drop], "vlan101", "300", "312")


async def told_in_one_message(events: list[Event], *words: str) -> None:
    """The notifier makes one message per chat of all these, with these words."""
    notifier = Watch()
    for event in events:
        await notifier.hear(event)
    await notifier.send()
    for messenger in (notifier.telegram, notifier.whatsapp):
        [message] = messenger.shown
        assert [word for word in words if word not in message.text] == []


async def test_router_that_cannot_be_asked_has_logged_nobody_out(lab):
    async with lab("7.16.2") as here, here.poller():
        people = subscribers(here.router, 400)
        for person in people:
            await here.router.pppoe_dial(**person)
        await here.followed()
        await until(lambda: len(here.of(SessionOpened)) == 400, within_s=30)
        await here.router.faults.cut()
        await until(lambda: here.of(RouterUnreachable), within_s=30)
        for number in range(3):
            here.router.pppoe_hangup(f"rumah{number}")
        assert here.of(SessionClosed) == []
        await here.router.faults.restore()
        await until(lambda: len(here.of(RouterReachable)) == 2, within_s=60)
        await until(lambda: len(here.of(SessionClosed)) == 3, within_s=20)
    closed = here.of(SessionClosed)
    assert {event.account for event in closed} == {"rumah0", "rumah1", "rumah2"}
    assert all(event.inferred for event in closed)
    assert len(here.of(SessionOpened)) == 400
    assert here.of(SessionsDropped) == []


async def test_what_a_script_says_and_what_the_table_shows_is_one_session(lab):
    async with lab("7.16.2") as here, here.poller():
        await here.followed()
        await here.hotspot_login()
        await here.say(Saying.LOGIN, account="vc1", address="10.5.0.17", mac=MAC)
        await until(lambda: here.of(SessionOpened))
        here.router.hotspot_logout(user="vc1")
        await here.say(
            Saying.LOGOUT, account="vc1", address="10.5.0.17", mac=MAC, duration_s=1.0, bytes_in=5, bytes_out=6
        )
        [closed] = await until(lambda: here.of(SessionClosed))
        await here.say(Saying.LOGIN, account="last", address="10.5.0.99", mac=MAC)
        await until(lambda: len(here.of(SessionOpened)) == 2)
    assert [event.account for event in here.of(SessionOpened)] == ["vc1", "last"]
    assert len(here.of(SessionClosed)) == 1
    assert (closed.bytes_in, closed.bytes_out, closed.reason) == (5, 6, "user request")


async def test_scripts_alone_tell_sessions_of_a_router_that_cannot_be_asked_and_nothing_twice_after_it(lab):
    async with lab("7.16.2") as here:
        async with here.poller():
            await here.followed()
            await here.router.faults.cut()
            await until(lambda: here.of(RouterUnreachable), within_s=30)
            session = await here.router.pppoe_dial(**BUDI)
            line = session.rows[0][1].id
            dialled = {"service": Service.PPP, "account": "budi", "mac": BUDI["mac"], "interface": line}
            await here.say(Saying.LOGIN, address=session.address, **dialled)
            await here.say(Saying.LOGIN, account="vc9", address="10.5.0.50", mac=MAC)
            await until(lambda: len(here.of(SessionOpened)) == 2)
            await here.say(Saying.LOGOUT, account="vc9", address="10.5.0.50", mac=MAC, duration_s=0.0, reason="gone")
            [closed] = await until(lambda: here.of(SessionClosed))
        await here.say(Saying.LOGIN, account="vc8", address="10.5.0.51", mac=MAC)  # while no poller runs
        async with here.poller():
            await until(lambda: len(here.of(SessionOpened)) == 3)
            await here.router.faults.restore()
            await until(lambda: len(here.of(RouterReachable)) == 2, within_s=60)
            [_, gone] = await until(lambda: len(here.of(SessionClosed)) == 2 and here.of(SessionClosed), within_s=30)
    assert [event.account for event in here.of(SessionOpened)] == ["budi", "vc9", "vc8"]
    assert (closed.account, closed.reason, closed.inferred) == ("vc9", "gone", False)
    assert (gone.account, gone.inferred) == ("vc8", True), "the router has no such session: found by comparison"


FAR = Nas("198.51.100.9", "gw-jauh", "wireless-802.11")


@VERSIONS
async def test_user_manager_tells_sessions_of_a_router_that_nobody_watches_and_reasons_of_its_own(lab, version):
    async with lab(version) as here, here.poller():
        um = here.router.user_manager
        if version.startswith("6"):
            here.router.menu("/tool/user-manager/user").add(username="andi", password="x", customer="admin")
            here.router.menu("/tool/user-manager/profile").add(name="p", owner="admin", starts_at="now")
            item = here.router.menu("/tool/user-manager/user").named("andi")
            um._assign(item, here.router.menu("/tool/user-manager/profile").named("p"))
        else:
            here.router.menu("/user-manager/user").add(name="andi", password="x", shared_users="unlimited")
        await here.followed()
        far = um.open_session("andi", MAC, "10.77.0.5", FAR)
        [opened] = await until(lambda: here.of(SessionOpened))
        far.meter.count(11, 22)
        own = um.open_session("andi", MAC, "10.5.0.17")
        um.close_session(own, "lost-carrier")
        um.close_session(far, "session-timeout")
        [closed] = await until(lambda: here.of(SessionClosed))
    assert (opened.source, opened.service, opened.address) == (SessionSource.USER_MANAGER, Service.HOTSPOT, "10.77.0.5")
    assert (closed.session_id, closed.reason, closed.source) == (opened.session_id, "session-timeout", opened.source)
    assert (closed.bytes_in, closed.bytes_out) == (11, 22)
