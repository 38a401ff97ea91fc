"""One router under watch, on a router in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from pydantic import SecretStr

from services.poller.core.clock_jury import ClockJury
from services.poller.core.reach import Reach, Reachability
from services.poller.handlers.doors import RouterDoors
from services.poller.handlers.followers.post import Pace, WatchCounts
from services.poller.handlers.routers import RouterWatcher
from shared.contracts.events import (
    Event,
    RouterReachable,
    RouterUnreachable,
    SessionClosed,
    SessionOpened,
    SessionsDropped,
)
from shared.contracts.ids import RouterId, SiteId
from shared.contracts.inventory import Router
from shared.contracts.samples import RouterReadings
from shared.contracts.vocabulary import Service
from shared.errors import Invalid, Unreachable
from shared.routeros import RightsMissing, RouterAddress, ValueRefused
from tests.fakes.router_session import FakeRouter
from tests.fakes.teller import FakeTeller
from tests.fakes.virtual_time import VirtualClock, run_virtually

ROUTER = Router(
    id=RouterId("01r0ut"),
    site_id=SiteId("waru"),
    name="waru-gw",
    host="203.0.113.7",
    username="ronda",
    sealed_password="sealed",
)
VERSIONS = pytest.mark.parametrize("version", ["6.49.18 (long-term)", "7.16.2 (stable)"])
LOGIN = {"user": "budi", "address": "10.5.0.17", "mac-address": "A4:5E:60:11:22:33", "uptime": "0s"}
DIAL = {"name": "siti", "address": "10.6.0.9", "caller-id": "A4:5E:60:11:22:44", "uptime": "0s"}


@dataclass
class Site:
    """A router, whether it can be reached, and what was told of it."""

    router: FakeRouter
    teller: FakeTeller = field(default_factory=FakeTeller)
    refusal: Exception | None = None
    sealed_wrong: bool = False
    watcher: RouterWatcher | None = None
    doors: RouterDoors = field(default_factory=RouterDoors)
    entries: dict[str, bytes] = field(default_factory=dict)
    readings: list[RouterReadings] = field(default_factory=list)
    pace: Pace = field(default_factory=Pace)
    counts: WatchCounts = field(default_factory=WatchCounts)

    def told(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.teller.told if isinstance(event, kind)]

    async def say(self, readings: RouterReadings) -> None:
        self.readings.append(readings)

    async def connect(self, _address: RouterAddress) -> object:
        if self.refusal is not None:
            raise self.refusal
        return self.router.session()

    def address_of(self, router: Router) -> RouterAddress:
        if self.sealed_wrong:
            raise Invalid("the sealed password cannot be opened: no key k9")
        return RouterAddress(host=router.host, username=router.username, password=SecretStr("x"))

    @asynccontextmanager
    async def watched(self, reach: Reach | None = None, sessions: dict | None = None) -> AsyncIterator[None]:
        self.watcher = RouterWatcher(
            ROUTER,
            reach or Reach(),
            sessions or {},
            self.entries,
            address_of=self.address_of,
            connect=self.connect,
            teller=self.teller,
            clock=VirtualClock(),
            doors=self.doors,
            say=self.say,
            pace=self.pace,
            counts=self.counts,
            jury=ClockJury(),
        )
        task = asyncio.create_task(self.watcher.run())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def cut(self, reason: Exception | None = None) -> None:
        self.refusal = reason or Unreachable("203.0.113.7:8728: connection refused")
        self.router.vanish()

    def mend(self) -> None:
        self.refusal = None
        self.router.come_back()


def tell(plot, **router) -> Site:
    site = Site(FakeRouter(**router))
    run_virtually(plot(site))
    return site


@VERSIONS
@pytest.mark.parametrize(
    ("path", "row", "service", "account"),
    [
        pytest.param("/ip/hotspot/active", LOGIN, Service.HOTSPOT, "budi", id="hotspot"),
        pytest.param("/ppp/active", DIAL, Service.PPP, "siti", id="ppp"),
    ],
)
def test_login_and_logout_are_told_as_they_happen(version, path, row, service, account):
    async def plot(site: Site) -> None:
        async with site.watched():
            await asyncio.sleep(1)
            item = site.router.put(path, row)
            await asyncio.sleep(0.01)
            assert len(site.told(SessionOpened)) == 1, "told at once"
            await asyncio.sleep(100)
            site.router.take(path, item)
            await asyncio.sleep(0.01)

    site = tell(plot, version=version)
    [opened], [closed] = site.told(SessionOpened), site.told(SessionClosed)
    assert (opened.service, opened.account, opened.address, opened.inferred) == (
        service,
        account,
        row["address"],
        False,
    )
    assert opened.mac == row.get("mac-address", row.get("caller-id"))
    assert (closed.session_id, closed.inferred) == (opened.session_id, False)
    assert closed.duration_s == pytest.approx(100, abs=0.1)
    assert not [key for key in site.teller.memory if key.startswith("session.")]


def test_sessions_that_were_there_already_are_inferred_with_their_own_time():
    async def plot(site: Site) -> None:
        site.router.put("/ppp/active", {**DIAL, "uptime": "1h"})
        async with site.watched():
            await asyncio.sleep(1)

    [opened] = tell(plot).told(SessionOpened)
    assert opened.inferred
    assert opened.at.hour == 13


def test_ppp_row_without_address_is_told_when_the_address_comes():
    async def plot(site: Site) -> None:
        async with site.watched():
            await asyncio.sleep(1)
            item = site.router.put("/ppp/active", {"name": "siti"})
            await asyncio.sleep(0.3)
            assert site.told(SessionOpened) == []
            site.router.put("/ppp/active", {".id": item, **DIAL})
            await asyncio.sleep(0.01)

    [opened] = tell(plot).told(SessionOpened)
    assert opened.address == "10.6.0.9"


def test_ppp_row_whose_address_never_comes_is_told_after_a_second():
    async def plot(site: Site) -> None:
        async with site.watched():
            await asyncio.sleep(1)
            site.router.put("/ppp/active", {"name": "siti"})
            await asyncio.sleep(1.6)

    [opened] = tell(plot).told(SessionOpened)
    assert opened.address is None


def test_router_without_hotspot_is_followed_for_ppp():
    async def plot(site: Site) -> None:
        del site.router.menus["/ip/hotspot/active"]
        async with site.watched():
            await asyncio.sleep(1)
            site.router.put("/ppp/active", DIAL)
            await asyncio.sleep(0.1)

    site = tell(plot)
    assert len(site.told(SessionOpened)) == 1
    assert len(site.told(RouterReachable)) == 1


def test_router_says_what_it_is_when_it_is_reached():
    async def plot(site: Site) -> None:
        async with site.watched():
            await asyncio.sleep(1)

    [event] = tell(plot).told(RouterReachable)
    assert (event.identity, event.version, event.board) == ("Menara-1", "7.16.2", "CHR")
    assert event.transition == 1
    assert event.unreachable_since is None


def test_lost_router_is_told_within_ten_seconds_and_closes_no_session():
    async def plot(site: Site) -> None:
        item = site.router.put("/ppp/active", {**DIAL, "uptime": "1h"})
        async with site.watched():
            await asyncio.sleep(1)
            site.cut()
            await asyncio.sleep(10.5)
            site.router.menus["/ppp/active"].rows[item]["uptime"] = "1h15s"
            assert len(site.told(RouterUnreachable)) == 1
            assert site.watcher.open_sessions == 1
            site.mend()
            await asyncio.sleep(60)

    site = tell(plot)
    assert site.told(SessionClosed) == []
    assert len(site.told(SessionOpened)) == 1
    assert [type(event) for event in site.teller.told[2:]] == [RouterUnreachable, RouterReachable]
    assert site.told(RouterReachable)[1].unreachable_since is not None


def test_short_break_of_the_connection_is_no_news():
    async def plot(site: Site) -> None:
        site.router.put("/ppp/active", {**DIAL, "uptime": "1h"})
        async with site.watched():
            await asyncio.sleep(1)
            site.cut()
            site.mend()
            await asyncio.sleep(30)

    site = tell(plot)
    assert [type(event) for event in site.teller.told] == [RouterReachable, SessionOpened]


def test_door_is_open_only_while_the_router_can_be_asked():
    async def plot(site: Site) -> None:
        async with site.watched():
            await asyncio.sleep(1)
            assert await site.doors.session(ROUTER.id).count("/ppp/active") == 0
            site.cut()
            assert site.doors.session(ROUTER.id) is None, "at once, not when somebody has noticed"
            await asyncio.sleep(0.1)
            assert len(site.doors) == 0
            site.mend()
            await asyncio.sleep(5)
            assert site.doors.session(ROUTER.id) is not None
        assert site.doors.session(ROUTER.id) is None

    tell(plot)


def test_only_true_differences_are_told_after_a_blind_time():
    async def plot(site: Site) -> None:
        gone = site.router.put("/ppp/active", {**DIAL, "uptime": "1h"})
        site.router.put("/ppp/active", {**DIAL, "name": "stays", "uptime": "1h"})
        async with site.watched():
            await asyncio.sleep(1)
            site.cut()
            site.router.take("/ppp/active", gone)
            site.router.put("/ip/hotspot/active", LOGIN)
            site.mend()
            await asyncio.sleep(10)

    site = tell(plot)
    [closed] = site.told(SessionClosed)
    assert (closed.account, closed.inferred) == ("siti", True)
    assert [(event.account, event.inferred) for event in site.told(SessionOpened)] == [
        ("siti", True),
        ("stays", True),
        ("budi", True),
    ]


def test_wrong_password_is_told_at_once_in_the_routers_words():
    async def plot(site: Site) -> None:
        site.refusal = RightsMissing("/login: invalid user name or password (6)")
        async with site.watched(Reach(Reachability.REACHABLE, 4)):
            await asyncio.sleep(1)

    [event] = tell(plot).told(RouterUnreachable)
    assert "invalid user name or password" in event.reason
    assert event.transition == 5


def test_password_that_cannot_be_opened_is_told_without_asking_the_router():
    async def plot(site: Site) -> None:
        site.sealed_wrong = True
        async with site.watched():
            await asyncio.sleep(1)

    [event] = tell(plot).told(RouterUnreachable)
    assert "no key k9" in event.reason


def test_table_that_cannot_be_read_closes_nothing():
    async def plot(site: Site) -> None:
        site.router.put("/ppp/active", {**DIAL, "uptime": "1h"})
        async with site.watched():
            await asyncio.sleep(1)
            site.cut()
            site.router.silence("/ppp/active/print")
            site.mend()
            await asyncio.sleep(30)

    assert tell(plot).told(SessionClosed) == []


def test_listen_that_refuses_columns_is_opened_without_them():
    async def plot(site: Site) -> None:
        real = site.connect

        async def picky(address: RouterAddress) -> object:
            session = await real(address)
            listen = session.listen

            def choosy(path: str, proplist: tuple[str, ...] = ()) -> object:
                return _refusing() if proplist else listen(path)

            session.listen = choosy
            return session

        site.connect = picky
        async with site.watched():
            await asyncio.sleep(1)
            site.router.put("/ppp/active", DIAL)
            await asyncio.sleep(0.1)

    assert len(tell(plot).told(SessionOpened)) == 1


@asynccontextmanager
async def _refusing():
    async def rows():
        raise ValueRefused("/ppp/active/listen: unknown parameter .proplist")
        yield

    yield rows()


def test_ten_minutes_without_the_api_log_nobody_out_and_after_it_only_true_differences_are_told():
    """400 on line, the API cut for 600 s, meanwhile two leave, one comes: two ends and one beginning, all inferred."""

    async def plot(site: Site) -> None:
        rows = {n: site.router.put("/ppp/active", _dialled(n)) for n in range(400)}
        async with site.watched():
            await asyncio.sleep(5)
            assert len(site.told(SessionOpened)) == 400
            site.cut()
            await asyncio.sleep(300)
            for number in (7, 8):
                site.router.take("/ppp/active", rows[number])
            site.router.put("/ppp/active", _dialled(400))
            await asyncio.sleep(300)
            assert (site.told(SessionClosed), len(site.told(RouterUnreachable))) == ([], 1)
            site.mend()
            await asyncio.sleep(100)  # the link tries again after a minute, give or take a fifth

    site = tell(plot)
    assert sorted(event.account for event in site.told(SessionClosed)) == ["rumah7", "rumah8"]
    assert all(event.inferred for event in site.told(SessionClosed))
    assert [event.account for event in site.told(SessionOpened)[400:]] == ["rumah400"]
    assert site.told(SessionsDropped) == []


def _dialled(number: int) -> dict[str, str]:
    address = f"10.6.{number // 250}.{number % 250 + 1}"
    return {
        "name": f"rumah{number}",
        "address": address,
        "caller-id": f"A4:5E:60:00:{number // 256:02X}:{number % 256:02X}",
    }
