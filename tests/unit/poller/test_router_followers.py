"""What a router says of itself, followed on a router in memory: events, readings, memory, and how little is asked."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from services.poller.handlers.followers.post import Pace
from shared.contracts.events import (
    InterfaceDown,
    InterfaceUp,
    InterfaceWithdrawn,
    LeaseBound,
    LeaseReleased,
    NeighborSeen,
    RouterRebooted,
    RouterRelieved,
    RouterStressed,
    RouterUpgraded,
    SessionOpened,
)
from shared.contracts.inventory import RouterLimits
from shared.routeros import FeatureMissing
from tests.fakes.virtual_time import EPOCH
from tests.support.watched_router import ROUTER, Post, watching

MIB = 1024 * 1024
VERSIONS = pytest.mark.parametrize("version", ["6.49.18 (long-term)", "7.16.2 (stable)"])
ETHER3 = {"name": "ether3", "type": "ether", "running": "true", "disabled": "false", "comment": "to Lereng"}
LEASE = {"address": "10.5.0.17", "mac-address": "A4:5E:60:11:22:33", "server": "dhcp-lan", "status": "bound"}
AP = {"interface": "ether3", "mac-address": "DC:2C:6E:00:00:01", "address": "10.0.0.9", "identity": "ap-1"}
RESOURCE = {
    "cpu_load": "12",
    "free_memory": str(256 * MIB),
    "total_memory": str(1024 * MIB),
    "free_hdd_space": str(96 * MIB),
    "total_hdd_space": str(128 * MIB),
}


# ── interfaces ──────────────────────────────────────────────────────────────────────────────────────────────────────


@VERSIONS
def test_link_is_told_as_it_goes_and_comes(version):
    async def plot(post: Post) -> None:
        port = post.router.put("/interface", ETHER3)
        async with post.watched():
            await asyncio.sleep(1)
            post.change("/interface", port, running="false")
            await asyncio.sleep(0.01)
            assert len(post.told(InterfaceDown)) == 1, "told at once"
            await asyncio.sleep(60)
            post.change("/interface", port, running="true")
            await asyncio.sleep(0.01)

    post = watching(plot, version=version)
    [down], [up] = post.told(InterfaceDown), post.told(InterfaceUp)
    assert (down.interface, down.interface_type, down.comment, down.inferred) == ("ether3", "ether", "to Lereng", False)
    assert (up.down_since, up.change) == (down.at, down.change + 1)


def test_port_that_is_disabled_while_it_is_down_is_withdrawn():
    async def plot(post: Post) -> None:
        port = post.router.put("/interface", ETHER3)
        async with post.watched():
            await asyncio.sleep(1)
            post.change("/interface", port, running="false")
            await asyncio.sleep(1)
            post.change("/interface", port, disabled="true")
            await asyncio.sleep(1)

    post = watching(plot)
    [down], [withdrawn] = post.told(InterfaceDown), post.told(InterfaceWithdrawn)
    assert (withdrawn.interface, withdrawn.down_since, withdrawn.change) == ("ether3", down.at, down.change + 1)
    assert not [key for key in post.entries if ".interface." in key]


def test_sessions_of_subscribers_are_no_interfaces():
    async def plot(post: Post) -> None:
        async with post.watched():
            await asyncio.sleep(1)
            session = post.router.put("/interface", {"name": "<pppoe-budi>", "type": "pppoe-in", "running": "true"})
            await asyncio.sleep(1)
            post.router.take("/interface", session)
            await asyncio.sleep(1)

    post = watching(plot)
    assert post.told(InterfaceDown) == []
    assert not [key for key in post.entries if ".interface." in key]


def test_blind_time_tells_only_true_differences_as_inferred():
    async def plot(post: Post) -> None:
        lost = post.router.put("/interface", ETHER3)
        back = post.router.put("/interface", {**ETHER3, "name": "ether4"})
        async with post.watched():
            await asyncio.sleep(1)
            post.cut()
            post.change("/interface", lost, running="false")
            post.change("/interface", back, running="false")
            post.change("/interface", back, running="true")
            post.mend()
            await asyncio.sleep(5)

    post = watching(plot)
    [down] = post.told(InterfaceDown)
    assert (down.interface, down.inferred) == ("ether3", True)
    assert post.told(InterfaceUp) == []


@pytest.mark.parametrize(
    ("version", "day"), [("6.49.18 (long-term)", "nov/20/2026"), ("7.16.2 (stable)", "2026-11-20")]
)
def test_missed_change_is_told_with_the_time_that_the_router_remembers(version, day):
    """Its clock is an hour ahead and in a zone of its own, which does not matter."""

    async def plot(post: Post) -> None:
        def wall(_: object) -> tuple[list[dict[str, str]], None]:
            seconds = int(asyncio.get_running_loop().time())
            return [{"date": day, "time": f"22:{seconds // 60:02}:{seconds % 60:02}", "gmt-offset": "+07:00"}], None

        post.router.commands["/system/clock/print"] = wall
        port = post.router.put("/interface", ETHER3)
        async with post.watched():
            await asyncio.sleep(1)
            post.cut()
            await asyncio.sleep(4)
            post.change("/interface", port, running="false", last_link_down_time=f"{day} 22:00:05")
            await asyncio.sleep(4)
            post.mend()
            await asyncio.sleep(60)

    [down] = watching(plot, version=version).told(InterfaceDown)
    assert down.inferred
    assert (down.at - EPOCH).total_seconds() == pytest.approx(5, abs=1)


def test_restart_goes_on_with_the_numbers_of_before():
    async def plot(post: Post) -> None:
        port = post.router.put("/interface", ETHER3)
        async with post.watched():
            await asyncio.sleep(1)
            post.change("/interface", port, running="false")
            await asyncio.sleep(1)
        async with post.watched():
            await asyncio.sleep(1)
        post.change("/interface", port, running="true")
        async with post.watched():
            await asyncio.sleep(1)

    post = watching(plot)
    [down], [up] = post.told(InterfaceDown), post.told(InterfaceUp)
    assert (up.change, up.inferred, up.down_since) == (down.change + 1, True, down.at)


def test_ports_of_a_router_that_has_just_started_are_given_time_to_find_their_speed():
    async def plot(post: Post) -> None:
        port = post.router.put("/interface", ETHER3)
        async with post.watched():
            await asyncio.sleep(1)
            post.cut()
            post.change("/interface", port, running="false")
            post.resource(uptime="5s")
            post.mend()
            await asyncio.sleep(10)
            post.change("/interface", port, running="true")
            await asyncio.sleep(60)

    assert watching(plot).told(InterfaceDown) == []


def test_link_seen_on_a_router_that_has_just_started_is_news_at_once_when_it_is_lost():
    async def plot(post: Post) -> None:
        port = post.router.put("/interface", ETHER3)
        post.resource(uptime="1s")
        async with post.watched():
            await asyncio.sleep(2)
            post.change("/interface", port, running="false")
            await asyncio.sleep(1)

    [down] = watching(plot).told(InterfaceDown)
    assert not down.inferred


@pytest.mark.parametrize("listens", [True, False])
def test_link_that_does_not_come_back_with_the_restarted_router_is_told_when_it_had_its_time(listens):
    async def plot(post: Post) -> None:
        port = post.router.put("/interface", ETHER3)
        if not listens:
            without_listen(post, "/interface")
        async with post.watched():
            await asyncio.sleep(1)
            post.cut()
            post.change("/interface", port, running="false")
            post.resource(uptime="5s")
            post.mend()
            await asyncio.sleep(20)
            assert post.told(InterfaceDown) == []
            await asyncio.sleep(50)

    [down] = watching(plot).told(InterfaceDown)
    assert down.inferred


def test_router_that_cannot_listen_to_its_interfaces_is_read_often():
    async def plot(post: Post) -> None:
        port = post.router.put("/interface", ETHER3)
        without_listen(post, "/interface")
        async with post.watched():
            await asyncio.sleep(1)
            post.change("/interface", port, running="false")
            await asyncio.sleep(16)

    [down] = watching(plot).told(InterfaceDown)
    assert not down.inferred


def test_restless_port_is_told_a_few_times_and_again_when_it_has_settled():
    async def plot(post: Post) -> None:
        port = post.router.put("/interface", ETHER3)
        async with post.watched():
            await asyncio.sleep(1)
            for number in range(101):
                post.change("/interface", port, running="false" if number % 2 == 0 else "true")
                await asyncio.sleep(0.5)
            assert len(post.told(InterfaceDown)) + len(post.told(InterfaceUp)) == 6
            await asyncio.sleep(61)

    post = watching(plot)
    assert len(post.told(InterfaceDown)) == 4
    assert len(post.told(InterfaceUp)) == 3


# ── leases ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@VERSIONS
def test_leases_are_told_as_they_come_and_go_but_not_those_of_before(version):
    async def plot(post: Post) -> None:
        post.router.put("/ip/dhcp-server/lease", {**LEASE, "address": "10.5.0.2"})
        async with post.watched():
            await asyncio.sleep(1)
            lease = post.router.put("/ip/dhcp-server/lease", LEASE)
            await asyncio.sleep(0.01)
            for _ in range(5):
                post.change("/ip/dhcp-server/lease", lease, expires_after="9m59s")
            await asyncio.sleep(1)
            post.change("/ip/dhcp-server/lease", lease, status="waiting")
            await asyncio.sleep(0.01)

    post = watching(plot, version=version)
    [bound], [released] = post.told(LeaseBound), post.told(LeaseReleased)
    assert (bound.address, bound.mac, bound.server, bound.inferred) == (
        "10.5.0.17",
        LEASE["mac-address"],
        "dhcp-lan",
        False,
    )
    assert released.address == bound.address


def test_leases_after_a_restart_are_compared():
    async def plot(post: Post) -> None:
        gone = post.router.put("/ip/dhcp-server/lease", LEASE)
        post.router.put("/ip/dhcp-server/lease", {**LEASE, "address": "10.5.0.2"})
        async with post.watched():
            await asyncio.sleep(1)
        post.router.take("/ip/dhcp-server/lease", gone)
        post.router.put("/ip/dhcp-server/lease", {**LEASE, "address": "10.5.0.3"})
        async with post.watched():
            await asyncio.sleep(1)

    post = watching(plot)
    assert [(event.address, event.inferred) for event in post.told(LeaseBound)] == [("10.5.0.3", True)]
    assert [(event.address, event.inferred) for event in post.told(LeaseReleased)] == [("10.5.0.17", True)]


def test_too_many_leases_are_counted_and_neither_told_nor_kept():
    async def plot(post: Post) -> None:
        for host in range(6):
            post.router.put("/ip/dhcp-server/lease", {**LEASE, "address": f"10.5.0.{host}"})
        async with post.watched():
            await asyncio.sleep(1)
            post.router.put("/ip/dhcp-server/lease", {**LEASE, "address": "10.5.0.99"})
            await asyncio.sleep(1)

    post = watching(plot, pace=Pace(leases_most=5))
    assert post.told(LeaseBound) == []
    assert not [key for key in post.entries if ".lease" in key]
    assert post.watcher.leases_quiet


# ── vitals, limits, traffic, pools ──────────────────────────────────────────────────────────────────────────────────


def test_readings_are_published_with_their_parts():
    async def plot(post: Post) -> None:
        post.resource(**RESOURCE)
        health(post, ("voltage", "24.1", "V"), ("cpu-temperature", "47", "C"))
        ether = post.router.put("/interface", {**ETHER3, "rx-byte": "1000000", "tx-byte": "0", "rx-packet": "10"})
        post.router.put("/ip/pool", {"name": "pppoe", "ranges": "10.20.0.1-10.20.0.200"})
        for host in range(50):
            post.router.put("/ip/pool/used", {"pool": "pppoe", "address": f"10.20.0.{host}"})
        post.router.put("/ppp/active", {"name": "siti", "address": "10.6.0.9", "uptime": "1h"})
        async with post.watched():
            await asyncio.sleep(29)
            post.change("/interface", ether, rx_byte="13000000", rx_packet="310")
            await asyncio.sleep(70)

    post = watching(plot)
    assert post.last("cpu_percent") == 12
    assert (post.last("memory_percent"), post.last("disk_percent")) == (75.0, 25.0)
    assert (post.last("voltage_v", "voltage"), post.last("temperature_c", "cpu-temperature")) == (24.1, 47)
    assert (post.last("pool_used", "pppoe"), post.last("pool_percent", "pppoe")) == (50, 25.0)
    assert (post.last("sessions", "ppp"), post.last("sessions", "hotspot")) == (1, 0)
    rates = [r.value for s in post.readings for r in s.readings if (r.metric, r.part) == ("rx_bps", "ether3")]
    assert max(rates) == pytest.approx(12_000_000 * 8 / 30, rel=0.7)
    assert rates[-1] == 0


def test_pool_that_says_its_use_itself_is_not_counted():
    async def plot(post: Post) -> None:
        post.router.put("/ip/pool", {"name": "pppoe", "ranges": "10.20.0.1-10.20.0.200", "total": "200", "used": "190"})
        async with post.watched():
            await asyncio.sleep(300)

    post = watching(plot, version="7.20.8 (stable)")
    assert post.last("pool_percent", "pppoe") == 95.0
    assert post.asked("/ip/pool/used/print") == 0
    [stressed] = post.told(RouterStressed)
    assert (stressed.resource, stressed.part, stressed.value, stressed.limit) == ("pool", "pppoe", 95.0, 90.0)


@VERSIONS
def test_load_that_stays_is_told_once_and_its_end_too_across_a_restart(version):
    async def plot(post: Post) -> None:
        post.resource(**RESOURCE)
        async with post.watched():
            await asyncio.sleep(60)
            post.resource(cpu_load="97")
            await asyncio.sleep(30)
            assert post.told(RouterStressed) == [], "a peak is no news"
            await asyncio.sleep(90)
            assert len(post.told(RouterStressed)) == 1
        async with post.watched():
            await asyncio.sleep(300)
            assert post.told(RouterRelieved) == []
            post.resource(cpu_load="20")
            await asyncio.sleep(120)

    post = watching(plot, version=version)
    [stressed], [relieved] = post.told(RouterStressed), post.told(RouterRelieved)
    assert (stressed.resource, stressed.value, stressed.limit, stressed.unit) == ("cpu", 97, 90, "%")
    assert (relieved.stressed_since, relieved.value) == (stressed.since, 20)
    assert not [key for key in post.entries if ".stress." in key]


def test_limits_that_are_changed_count_at_once_and_cost_no_login():
    async def plot(post: Post) -> None:
        post.resource(**RESOURCE)
        async with post.watched():
            await asyncio.sleep(60)
            limits = RouterLimits(memory_percent=70.0)
            assert post.watcher.renew(ROUTER.model_copy(update={"limits": limits}))
            await asyncio.sleep(120)
            assert not post.watcher.renew(ROUTER.model_copy(update={"port": 8729}))

    post = watching(plot)
    [stressed] = post.told(RouterStressed)
    assert (stressed.resource, stressed.limit) == ("memory", 70.0)
    assert post.counts.logins == 1


@pytest.mark.parametrize(
    ("clock", "off_s"),
    [
        pytest.param({"date": "2026-11-20", "time": "21:00:00", "gmt-offset": "+07:00"}, None, id="right-at-first"),
        pytest.param({"date": "2026-11-19", "time": "21:00:00", "gmt-offset": "+07:00"}, -86400, id="a-day-behind"),
    ],
)
def test_clock_that_is_wrong_is_told(clock, off_s):
    async def plot(post: Post) -> None:
        post.resource(**RESOURCE)
        post.router.menu("/system/clock", singleton=True).rows[""] = clock
        async with post.watched():
            await asyncio.sleep(20)
            assert post.last("clock_drift_s") == pytest.approx(off_s or 0, abs=20)
            if off_s:
                await asyncio.sleep(100)

    told = watching(plot).told(RouterStressed)
    assert [event.resource for event in told] == (["clock"] if off_s else [])


# ── restarts, versions, neighbours ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("how", ["while-watched", "while-ronda-is-away"])
def test_restarted_router_says_since_when_and_why(how):
    async def plot(post: Post) -> None:
        post.resource(**RESOURCE, uptime="10d")
        async with post.watched():
            await asyncio.sleep(40)
            if how == "while-watched":
                restart(post)
                await asyncio.sleep(10)
        if how != "while-watched":
            await asyncio.sleep(3600)
            restart(post)
            async with post.watched():
                await asyncio.sleep(10)

    post = watching(plot)
    [rebooted] = post.told(RouterRebooted)
    assert rebooted.words == "router was rebooted without proper shutdown"
    assert rebooted.uptime_before_s == 864_000
    assert (rebooted.at - rebooted.booted_at).total_seconds() == 50


def test_short_break_of_the_connection_is_no_restart():
    async def plot(post: Post) -> None:
        async with post.watched():
            await asyncio.sleep(1)
            post.cut()
            post.mend()
            await asyncio.sleep(10)

    post = watching(plot)
    assert post.counts.logins == 2
    assert post.told(RouterRebooted) == []


def test_other_version_is_told():
    async def plot(post: Post) -> None:
        async with post.watched():
            await asyncio.sleep(1)
            restart(post)
            post.resource(version="7.20.8 (stable)")
            await asyncio.sleep(10)

    post = watching(plot)
    [upgraded] = post.told(RouterUpgraded)
    assert (upgraded.version_before, upgraded.version) == ("7.16.2", "7.20.8")
    assert len(post.told(RouterRebooted)) == 1


def test_new_neighbour_is_told_once_and_the_first_ones_never():
    async def plot(post: Post) -> None:
        post.router.put("/ip/neighbor", AP)
        async with post.watched():
            await asyncio.sleep(61)
            other = post.router.put("/ip/neighbor", {**AP, "mac-address": "DC:2C:6E:00:00:02", "identity": "rogue"})
            await asyncio.sleep(61)
            post.router.take("/ip/neighbor", other)
            await asyncio.sleep(61)
        post.router.put("/ip/neighbor", {**AP, "mac-address": "DC:2C:6E:00:00:02", "identity": "rogue"})
        async with post.watched():
            await asyncio.sleep(61)

    [seen] = watching(plot).told(NeighborSeen)
    assert (seen.mac, seen.identity, seen.interface) == ("DC:2C:6E:00:00:02", "rogue", "ether3")


# ── together ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_crash_of_one_follower_ends_no_other_and_it_is_tried_again(caplog):
    async def plot(post: Post) -> None:
        post.resource(**RESOURCE)
        port = post.router.put("/interface", ETHER3)
        lease = post.router.put("/ip/dhcp-server/lease", LEASE)
        async with post.watched():
            await asyncio.sleep(31)
            _, leases, *_ = [one for one in post.watcher._followers if one.name in {"interfaces", "leases"}]
            broken, leases.changed = leases.changed, None
            post.change("/ip/dhcp-server/lease", lease, status="waiting")
            await asyncio.sleep(1)
            assert post.counts.crashes == 1
            post.change("/interface", port, running="false")
            post.router.put("/ppp/active", {"name": "siti", "address": "10.6.0.9", "uptime": "0s"})
            await asyncio.sleep(1)
            leases.changed = broken
            await asyncio.sleep(61)

    post = watching(plot)
    assert len(post.told(InterfaceDown)) == len(post.told(SessionOpened)) == 1
    [released] = post.told(LeaseReleased)
    assert released.inferred, "found by comparison once the follower was back"


def test_look_that_crashes_is_tried_at_its_next_turn_and_holds_up_no_other():
    async def plot(post: Post) -> None:
        post.resource(**RESOURCE)
        post.router.commands["/ip/pool/print"] = lambda _: ([None], None)
        async with post.watched():
            await asyncio.sleep(200)

    post = watching(plot)
    assert post.counts.crashes == post.asked("/ip/pool/print") >= 3
    assert post.asked("/system/resource/print") >= 6


def test_look_that_gets_no_answer_is_tried_at_its_next_turn_and_holds_up_no_other():
    async def plot(post: Post) -> None:
        post.resource(**RESOURCE)
        health(post, ("voltage", "24.1", "V"))
        post.router.silence("/system/health/print")
        async with post.watched():
            await asyncio.sleep(61)
            assert post.last("cpu_percent") == 12
            assert post.last("voltage_v", "voltage") is None
            post.router.silence("/system/health/print", silent=False)
            await asyncio.sleep(31)

    assert watching(plot).last("voltage_v", "voltage") == 24.1


@VERSIONS
def test_an_hour_of_watching_is_one_login_and_few_short_questions(version):
    """What a router of ours has to bear: below 14 sentences a minute, every print with its columns named."""

    async def plot(post: Post) -> None:
        post.resource(**RESOURCE)
        health(post, ("voltage", "24.1", "V"))
        post.router.menu("/system/clock", singleton=True).rows[""] = {"date": "2026-11-20", "time": "21:00:00"}
        for number in range(1, 11):
            post.router.put("/interface", {**ETHER3, "name": f"ether{number}", "rx-byte": "1", "tx-byte": "1"})
        for name in ("pppoe", "hotspot"):
            post.router.put("/ip/pool", {"name": name, "ranges": "10.20.0.1-10.20.0.200"})
        post.router.menu("/ip/pool/used")
        post.router.put("/ip/dhcp-server/lease", LEASE)
        post.router.put("/ip/neighbor", AP)
        async with post.watched():
            await asyncio.sleep(3600)

    post = watching(plot, version=version)
    assert post.counts.logins == 1
    assert len(post.router.calls) < 14 * 60
    six = version.startswith("6")
    bare = {word for word, attributes in post.router.calls if ".proplist" not in attributes}
    assert bare == {"/ip/pool/used/print"} | ({"/system/health/print"} if six else set())
    assert all("count-only" in attributes for word, attributes in post.router.calls if word == "/ip/pool/used/print")


def test_routers_take_turns():
    """A hundred routers that were reached in the same instant do not ask in the same second."""

    async def plot(post: Post) -> None:
        post.resource(**RESOURCE)
        posts = [Post(post.router, entry=ROUTER.model_copy(update={"id": f"01r{n:03}"})) for n in range(100)]
        async with contexts(posts):
            await asyncio.sleep(40)
            asked, before = [], post.asked("/system/resource/print")
            for _ in range(30):
                await asyncio.sleep(1)
                asked.append(post.asked("/system/resource/print") - before)
                before += asked[-1]
        assert sum(asked) == pytest.approx(100, abs=2)
        assert max(asked) <= 12

    watching(plot)


# ── the scenery ─────────────────────────────────────────────────────────────────────────────────────────────────────


def health(post: Post, *sensors: tuple[str, str, str]) -> None:
    """Sensors in the shape of the router's line."""
    if post.router.rows("/system/resource")[0]["version"].startswith("6"):
        post.router.menu("/system/health", singleton=True).rows[""] = {name: value for name, value, _ in sensors}
        return
    for name, value, unit in sensors:
        post.router.put("/system/health", {"name": name, "value": value, "type": unit})


def restart(post: Post) -> None:
    """The power was cut 50 s before the router is seen again (the link waits a second after a loss)."""
    post.cut()
    post.resource(uptime="50s")
    post.router.put(
        "/log", {"topics": "system,error,critical", "message": "router was rebooted without proper shutdown"}
    )
    post.mend()


def without_listen(post: Post, path: str) -> None:
    """A router on which this menu does not listen."""
    real = post.connect

    async def connect(address: object) -> object:
        session = await real(address)
        listen = session.listen

        @asynccontextmanager
        async def refusing(*_: object):
            raise FeatureMissing(f"{path}/listen: no such command")
            yield

        session.listen = lambda menu, columns=(): refusing() if menu == path else listen(menu, columns)
        return session

    post.connect = connect


@asynccontextmanager
async def contexts(posts: list[Post]):
    tasks = []
    try:
        for post in posts:
            context = post.watched()
            await context.__aenter__()
            tasks.append(context)
        yield
    finally:
        for context in tasks:
            await context.__aexit__(None, None, None)
