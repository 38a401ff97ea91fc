"""From lines and rates of a router to what is told of threats, over restarts too."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from services.poller.core.rates import Rates
from services.poller.handlers.followers.notebook import Notebook
from services.poller.handlers.followers.post import Post
from services.poller.handlers.followers.security import SecurityDesk
from services.poller.handlers.log_lines import LogLine
from services.poller.handlers.telling import Teller
from shared.contracts.events import Event, ThreatPassed, ThreatSuspected
from shared.contracts.ids import RouterId, SiteId
from shared.contracts.inventory import Router
from shared.contracts.samples import RouterReadings
from shared.contracts.vocabulary import Threat
from tests.fakes.clock import FakeClock
from tests.fakes.teller import FakeTeller

ROUTER = Router(
    id=RouterId("r1"), site_id=SiteId("s1"), name="waru-gw", host="10.0.0.1", username="ronda", sealed_password="k"
)


async def say(_readings: RouterReadings) -> None:
    """Nobody listens."""


class World:
    """One router's desk; `restart` makes a new one of what was remembered."""

    def __init__(self, **router: Any) -> None:
        self.clock = FakeClock()
        self.teller = FakeTeller()
        self.entries: dict[str, bytes] = {}
        self.router = ROUTER.model_copy(update=router)
        self.restart()

    def restart(self) -> None:
        notebook = Notebook(self.router.id, self.entries, cast("Teller", self.teller))
        self.desk = SecurityDesk(Post(self.router, notebook, self.clock, say))

    def log(self, *lines: str, every_s: float = 1.0) -> None:
        for line in lines:
            self.desk.read(LogLine("system", line, self.clock.now()))
            self.clock.advance(every_s)

    def wait(self, seconds: float) -> None:
        for _ in range(int(seconds // 5)):
            self.clock.advance(5)
            self.desk.look()

    def told(self) -> list[Event]:
        told, self.teller.told = self.teller.told, []
        return told


FAILURE = "login failure for user admin from 203.0.113.99 via winbox"


def test_brute_force_is_told_once_and_when_it_has_stopped_even_over_a_restart() -> None:
    world = World()
    world.log(*[FAILURE] * 12)
    [begun] = world.told()
    assert isinstance(begun, ThreatSuspected)
    assert (begun.threat, begun.source, begun.user, begun.via) == (
        Threat.LOGIN_FAILURES,
        "203.0.113.99",
        "admin",
        "winbox",
    )
    world.restart()
    world.log(*[FAILURE] * 12)
    assert world.told() == []
    world.wait(700)
    [over] = world.told()
    assert isinstance(over, ThreatPassed)
    assert (over.threat_id, over.suspected_since) == (begun.threat_id, begun.since)
    world.restart()
    world.wait(700)
    assert world.told() == []


def test_a_log_in_from_an_address_nobody_named_is_told_and_ours_is_not() -> None:
    world = World(known_logins=("10.0.0.0/8",))
    world.log(
        "user ronda logged in from 203.0.113.7 via api",
        "user admin logged in from 10.9.9.9 via winbox",
        "user admin logged in from 203.0.113.99 via ssh",
        "user admin logged in from 203.0.113.99 via ssh",
    )
    [told] = world.told()
    assert isinstance(told, ThreatSuspected)
    assert (told.threat, told.source) == (Threat.UNKNOWN_LOGIN, "203.0.113.99")


def test_what_was_learned_is_known_after_a_restart() -> None:
    world = World()
    world.log("user admin logged in from 10.0.0.5 via winbox")
    world.clock.advance(timedelta(days=4).total_seconds())
    world.restart()
    world.log("user admin logged in from 10.0.0.5 via winbox")
    assert world.told() == []
    world.log("user admin logged in from 203.0.113.99 via winbox")
    assert len(world.told()) == 1


def test_changes_by_hand_are_one_fact_without_what_was_typed() -> None:
    world = World()
    by = "by tcp-msg(winbox):admin@10.0.0.9"
    world.log(f"ppp secret added {by} (/ppp secret add name=x password=rahasia)", f"filter rule removed {by} (*1)")
    world.log("ppp secret changed by ronda")
    world.wait(40)
    [told] = world.told()
    assert isinstance(told, ThreatSuspected)
    assert (told.threat, told.user, told.source, told.count) == (
        Threat.CONFIGURATION_CHANGED,
        "admin",
        "10.0.0.9",
        2,
    )
    assert told.words == "ppp secret added, filter rule removed"


def test_a_foreign_dhcp_server_is_named_by_its_mac() -> None:
    world = World()
    world.log("dhcp alert on bridge: discovered unknown dhcp server, mac 00:02:29:60:36:E7, ip 10.5.8.236")
    [told] = world.told()
    assert isinstance(told, ThreatSuspected)
    assert (told.threat, told.source, told.via) == (Threat.ROGUE_DHCP, "00:02:29:60:36:E7", "bridge")


def test_traffic_far_from_its_normal_is_told_with_what_is_usual_and_its_end() -> None:
    world = World()
    for _ in range(110):
        world.desk.traffic("ether1", rates(20e6))
    for value in (400e6,) * 5:
        world.desk.traffic("ether1", rates(value))
        world.clock.advance(30)
    [begun] = world.told()
    assert isinstance(begun, ThreatSuspected)
    assert (begun.threat, begun.source, begun.value, begun.unit) == (
        Threat.TRAFFIC_ABNORMAL,
        "ether1",
        400e6,
        "bit/s",
    )
    assert begun.usual is not None
    assert round(begun.usual / 1e6) == 20
    for _ in range(5):
        world.desk.traffic("ether1", rates(20e6))
    assert [type(event) for event in world.told()] == [ThreatPassed]


def test_what_is_usual_is_remembered_each_hour() -> None:
    world = World()
    for _ in range(110):
        world.desk.traffic("ether1", rates(20e6))
    world.clock.advance(3600 - 3 * 60)
    world.wait(200)
    world.restart()
    world.clock.advance(23 * 3600 - 60)
    for _ in range(5):
        world.desk.traffic("ether1", rates(400e6))
    assert len(world.told()) == 1


def rates(bps: float) -> Rates:
    return Rates(rx_bps=bps, tx_bps=bps / 10, rx_pps=100.0, tx_pps=100.0, error_pps=0.0, drop_pps=0.0)
