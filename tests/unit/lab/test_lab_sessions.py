"""Subscribers on a virtual router, in stepped time: PPPoE, hotspot, user managers, netwatch, schedules."""

from __future__ import annotations

import pytest

from lab.routers import LoginRefused, Personality, SteppedClock, Trap, VirtualRouter
from lab.routers.behaviour.interfaces import add_ethernet, set_link

BOTH = pytest.mark.parametrize("version", ["6.49.18", "7.20.7"])
MAC, OTHER_MAC = "AA:BB:CC:00:00:01", "AA:BB:CC:00:00:02"


def provider(version: str = "7.16.2", **more) -> tuple[VirtualRouter, SteppedClock]:
    clock = SteppedClock()
    router = VirtualRouter(Personality(version), "gw", clock=clock, **more)
    add_ethernet(router, "ether1", "48:8F:5A:00:00:01")
    router.menu("/ip/pool").add(name="pppoe", ranges="10.20.0.10-10.20.0.11")
    router.menu("/ppp/profile").add(name="10M", local_address="10.20.0.1", remote_address="pppoe", rate_limit="5M/10M")
    router.menu("/interface/pppoe-server/server").add(service_name="isp", interface="ether1", disabled="no")
    router.menu("/ppp/secret").add(name="budi", password="pw", profile="10M", service="pppoe")
    router.menu("/ip/hotspot").add(name="hs1", interface="ether1", disabled="no")
    router.menu("/ip/hotspot/user/profile").add(name="jam", rate_limit="1M/2M")
    router.menu("/ip/hotspot/user").add(name="vc1", password="vc1", profile="jam", limit_uptime="5m")
    return router, clock


def messages(router, topic: str = "") -> list[str]:
    return [row["message"] for row in router.menu("/log").rows() if topic in row["topics"]]


# PPPoE


@BOTH
async def test_session_brings_interface_address_queue_and_pool_entry(version):
    router, clock = provider(version)
    session = await router.pppoe_dial(user="budi", password="pw", mac=MAC.lower())
    session.traffic(up_bps=1e6, down_bps=80e6)
    clock.advance(80)
    (active,) = router.menu("/ppp/active").rows()
    assert (active["address"], active["caller-id"], active["uptime"]) == ("10.20.0.10", MAC, "1m20s")
    assert active["session-id"] == "0x81100000"
    assert not {"bytes", "bytes-in", "packets"} & active.keys()
    interface = router.menu("/interface").row(name="<pppoe-budi>")
    assert (interface[".id"], interface["type"]) == ("*F00000", "pppoe-in")
    assert (interface["rx-byte"], interface["tx-byte"]) == ("10000000", "100000000"), "download is shaped to 10M"
    queue = router.menu("/queue/simple").row(name="<pppoe-budi>")
    assert (queue["max-limit"], queue["bytes"], queue["dynamic"]) == (
        "5000000/10000000",
        "10000000/100000000",
        "true",
    )
    assert router.menu("/ip/address").row(interface="<pppoe-budi>")["network"] == "10.20.0.10"
    assert router.menu("/ip/pool/used").rows()[0]["owner"] == "PPP"


async def test_listener_sees_the_row_before_it_has_an_address():
    router, _ = provider()
    seen: list[dict[str, str]] = []
    router.menu("/ppp/active").listeners.append(seen.append)
    await router.pppoe_dial(user="budi", password="pw", mac=MAC)
    assert ["address" in row for row in seen] == [False, True]


async def test_everything_of_a_session_goes_with_it():
    router, clock = provider()
    ended = []
    router.ppp.on_end.append(lambda session, reason: ended.append((session.name, reason)))
    session = await router.pppoe_dial(user="budi", password="pw", mac=MAC)
    clock.advance(10)
    router.menu("/ppp/active").remove(session.active.id)
    assert ended == [("budi", "nas-request")]
    for path in ("/ppp/active", "/ip/address", "/queue/simple", "/ip/pool/used", "/interface/pppoe-server"):
        assert router.menu(path).rows() == []
    secret = router.menu("/ppp/secret").row(name="budi")
    assert (secret["last-disconnect-reason"], secret["last-caller-id"]) == ("nas-request", MAC)
    assert secret["last-logged-out"] == router.stamp()
    assert messages(router, "ppp")[-1] == "<pppoe-budi>: disconnected"


@pytest.mark.parametrize(
    ("change", "given"),
    [
        ({}, {"password": "salah"}),
        ({}, {"user": "tidak-ada"}),
        ({"disabled": "yes"}, {}),
        ({"service": "l2tp"}, {}),
        ({"caller-id": OTHER_MAC}, {}),
    ],
)
async def test_dialling_is_refused(change, given):
    router, _ = provider()
    router.menu("/ppp/secret").set("budi", change)
    with pytest.raises(LoginRefused, match="authentication failed"):
        await router.pppoe_dial(**{"user": "budi", "password": "pw", "mac": MAC} | given)
    assert router.menu("/ppp/active").rows() == []


async def test_changing_the_secret_leaves_the_session_alone():
    router, _ = provider()
    session = await router.pppoe_dial(user="budi", password="pw", mac=MAC)
    router.menu("/ppp/secret").set("budi", disabled="yes", profile="default", password="lain")
    assert router.menu("/ppp/active").row(name="budi")["address"] == session.address
    router.pppoe_hangup("budi")
    with pytest.raises(LoginRefused):
        await router.pppoe_dial(user="budi", password="pw", mac=MAC)


async def test_only_one_refuses_a_second_session_and_default_allows_it():
    router, _ = provider()
    await router.pppoe_dial(user="budi", password="pw", mac=MAC)
    second = await router.pppoe_dial(user="budi", password="pw", mac=OTHER_MAC)
    assert second.interface != "<pppoe-budi>"
    router.ppp.end(second, "hung-up")
    router.menu("/ppp/profile").set("10M", only_one="yes")
    with pytest.raises(LoginRefused, match="already active"):
        await router.pppoe_dial(user="budi", password="pw", mac=OTHER_MAC)


async def test_full_pool_refuses_and_fixed_address_beats_it():
    router, _ = provider()
    for name in ("a", "b", "c"):
        router.menu("/ppp/secret").add(name=name, password="pw", profile="10M")
    await router.pppoe_dial(user="a", password="pw", mac=MAC)
    await router.pppoe_dial(user="b", password="pw", mac=MAC)
    with pytest.raises(LoginRefused, match="no free addresses in pool pppoe"):
        await router.pppoe_dial(user="c", password="pw", mac=MAC)
    router.menu("/ppp/secret").set("c", remote_address="10.99.0.9")
    assert (await router.pppoe_dial(user="c", password="pw", mac=MAC)).address == "10.99.0.9"


async def test_session_timeout_of_the_profile_ends_it():
    router, clock = provider()
    router.menu("/ppp/profile").set("10M", session_timeout="10m")
    await router.pppoe_dial(user="budi", password="pw", mac=MAC)
    clock.advance(599)
    assert len(router.menu("/ppp/active")) == 1
    clock.advance(1)
    assert router.menu("/ppp/secret").row(name="budi")["last-disconnect-reason"] == "session-timeout"


# hotspot


@BOTH
async def test_time_left_is_the_cap_less_what_was_used(version):
    router, clock = provider(version)
    session = await router.hotspot_login(user="vc1", password="vc1", mac=MAC, ip="10.10.8.211")
    session.traffic(up_bps=800_000, down_bps=50e6)
    clock.advance(18)
    (active,) = router.menu("/ip/hotspot/active").rows()
    assert (active[".id"], active["session-time-left"]) == ("*D3080A0A", "4m42s")
    assert (active["bytes-in"], active["bytes-out"]) == ("1800000", "4500000")
    router.hotspot_logout("vc1")
    user = router.menu("/ip/hotspot/user").row(name="vc1")
    assert (user["uptime"], user["bytes-in"]) == ("18s", "1800000")
    await router.hotspot_login(user="vc1", password="vc1", mac=MAC, ip="10.10.8.211")
    assert router.menu("/ip/hotspot/active").rows()[0]["session-time-left"] == "4m42s"
    assert router.menu("/ip/hotspot/active").rows()[0]["uptime"] == "0s"


async def test_used_up_voucher_is_shut_out_until_its_counters_are_reset():
    router, clock = provider()
    await router.hotspot_login(user="vc1", password="vc1", mac=MAC, ip="10.10.8.211")
    clock.advance(300)
    assert router.menu("/ip/hotspot/active").rows() == []
    assert router.menu("/ip/hotspot/user").row(name="vc1")["uptime"] == "5m"
    with pytest.raises(LoginRefused, match=r"^your uptime limit is reached$"):
        await router.hotspot_login(user="vc1", password="vc1", mac=MAC, ip="10.10.8.211")
    router.menu("/ip/hotspot/user").set("vc1", limit_uptime="10m")
    await router.hotspot_login(user="vc1", password="vc1", mac=MAC, ip="10.10.8.211")
    assert router.menu("/ip/hotspot/active").rows()[0]["session-time-left"] == "5m"


@pytest.mark.parametrize(
    ("change", "given"),
    [
        ({}, {"password": "x"}),
        ({}, {"user": "VC1"}),
        ({"disabled": "yes"}, {}),
        ({"mac-address": OTHER_MAC}, {}),
        ({"address": "10.10.8.9"}, {}),
    ],
)
async def test_hotspot_login_is_refused(change, given):
    router, _ = provider()
    router.menu("/ip/hotspot/user").set("vc1", change)
    with pytest.raises(LoginRefused, match=r"^invalid username or password$"):
        await router.hotspot_login(**{"user": "vc1", "password": "vc1", "mac": MAC, "ip": "10.10.8.211"} | given)
    assert router.menu("/ip/hotspot/host").rows()[0]["authorized"] == "false"


async def test_shared_users_are_counted():
    router, _ = provider()
    await router.hotspot_login(user="vc1", password="vc1", mac=MAC, ip="10.10.8.211")
    with pytest.raises(LoginRefused, match="no more sessions are allowed for user"):
        await router.hotspot_login(user="vc1", password="vc1", mac=OTHER_MAC, ip="10.10.8.212")
    router.menu("/ip/hotspot/user/profile").set("jam", shared_users="2")
    await router.hotspot_login(user="vc1", password="vc1", mac=OTHER_MAC, ip="10.10.8.212")
    assert len(router.menu("/ip/hotspot/active")) == 2


async def test_traffic_limit_shuts_out():
    router, clock = provider()
    router.menu("/ip/hotspot/user").set("vc1", limit_bytes_total="1000")
    session = await router.hotspot_login(user="vc1", password="vc1", mac=MAC, ip="10.10.8.211")
    session.meter.count(rx_bytes=400, tx_bytes=700)
    clock.advance(1)
    router.hotspot_logout("vc1")
    with pytest.raises(LoginRefused, match="your traffic limit is reached"):
        await router.hotspot_login(user="vc1", password="vc1", mac=MAC, ip="10.10.8.211")


async def test_removed_by_an_administrator_loses_the_mac_cookie_but_not_the_other():
    router, _ = provider()
    router.menu("/ip/hotspot/profile").set("default", login_by="cookie,mac-cookie,http-chap")
    session = await router.hotspot_login(user="vc1", password="vc1", mac=MAC, ip="10.10.8.211")
    assert len(router.menu("/ip/hotspot/cookie")) == 2
    router.menu("/ip/hotspot/active").remove(session.active.id)
    assert [row["mac-cookie"] for row in router.menu("/ip/hotspot/cookie").rows()] == ["false"]
    assert messages(router, "hotspot")[-1] == "vc1 (10.10.8.211): logged out: admin reset"


async def test_zero_limits_are_not_shown():
    router, _ = provider()
    router.menu("/ip/hotspot/user").set("vc1", limit_uptime="0", limit_bytes_total="0")
    row = router.menu("/ip/hotspot/user").row(name="vc1")
    assert not {"limit-uptime", "limit-bytes-total"} & row.keys()


# user managers


async def test_profile_of_user_manager_7_waits_runs_and_is_used_up():
    router, clock = provider("7.20.7")
    router.menu("/user-manager").set("", use_profiles="yes")
    router.menu("/user-manager/profile").add(name="30h", validity="30d", starts_when="first-auth")
    router.menu("/user-manager/user").add(name="sari", password="x", caller_id="bind")
    assigned = router.menu("/user-manager/user-profile")
    assigned.add(user="sari", profile="30h")
    assert (assigned.rows()[0]["state"], assigned.rows()[0]["end-time"]) == ("waiting", "not-yet-running")
    session = router.user_manager.open_session("sari", MAC, "10.0.0.5")
    assert assigned.rows()[0]["state"] == "running-active"
    assert router.menu("/user-manager/user").row(name="sari")["caller-id"] == MAC
    router.menu("/user-manager/user").set("sari", disabled="yes")
    ended = router.menu("/user-manager/session").read(session)
    assert (ended["active"], ended["terminate-cause"]) == ("false", "um-user-disabled")
    router.menu("/user-manager/user").set("sari", disabled="no")
    clock.advance(30 * 86400)
    assert assigned.rows()[0]["state"] == "used"
    with pytest.raises(LoginRefused):
        router.user_manager.open_session("sari", MAC, "10.0.0.5")


# netwatch, schedules, time


@BOTH
async def test_netwatch_follows_the_link_at_its_own_pace(version):
    router, clock = provider(version)
    router.links.up("192.0.2.1")
    router.menu("/tool/netwatch").add(host="192.0.2.1", interval="30s")
    status = lambda: router.menu("/tool/netwatch").rows()[0]["status"]  # noqa: E731
    assert status() == "unknown"
    clock.advance(3)
    assert status() == "up"
    clock.advance(5)
    router.links.down("192.0.2.1")
    clock.advance(20)
    assert status() == "up", "nobody looked yet"
    clock.advance(10)
    assert status() == "down"
    assert router.menu("/tool/netwatch").rows()[0]["since"] <= router.stamp()


async def test_rebooted_router_knows_nothing_of_its_hosts_for_five_minutes():
    router, clock = provider("7.16.2", ntp=False)
    router.links.up("192.0.2.1")
    router.menu("/tool/netwatch").add(host="192.0.2.1")
    clock.advance(10)
    await router.start()
    try:
        await router.reboot()
        assert router.menu("/tool/netwatch").rows()[0]["status"] == "unknown"
        assert router.menu("/system/clock").rows()[0]["date"] == "1970-01-01"
        clock.advance(299)
        assert router.menu("/tool/netwatch").rows()[0]["status"] == "unknown"
        clock.advance(1)
        assert router.menu("/tool/netwatch").rows()[0]["status"] == "up"
    finally:
        await router.stop()


async def test_reboot_ends_sessions_and_counts_from_zero():
    router, clock = provider("7.16.2")
    await router.pppoe_dial(user="budi", password="pw", mac=MAC)
    await router.hotspot_login(user="vc1", password="vc1", mac=MAC, ip="10.10.8.211")
    router.menu("/ip/firewall/address-list").add(list="isolir", address="10.0.0.9", timeout="1h")
    router.menu("/system/scheduler").add(name="s", interval="1m", on_event=":log info tick")
    clock.advance(61)
    assert router.menu("/system/scheduler").rows()[0]["run-count"] == "1"
    await router.start()
    port = router.port
    try:
        await router.reboot()
        assert router.port == port
        for path in ("/ppp/active", "/ip/hotspot/active", "/ip/hotspot/host", "/ip/firewall/address-list"):
            assert router.menu(path).rows() == []
        assert router.menu("/ppp/secret").row(name="budi")["last-disconnect-reason"] == "reboot"
        assert router.menu("/system/scheduler").rows()[0]["run-count"] == "0"
        assert router.menu("/system/resource").rows()[0]["uptime"] == "0s"
        assert router.menu("/system/clock").rows()[0]["date"] == "2026-09-21", "NTP set the clock again"
    finally:
        await router.stop()


async def test_entry_with_a_timeout_counts_down_and_leaves():
    router, clock = provider()
    seen: list[dict[str, str]] = []
    lists = router.menu("/ip/firewall/address-list")
    lists.listeners.append(seen.append)
    row_id = lists.add(list="isolir", address="10.0.0.9", timeout="1h")
    clock.advance(600)
    row = lists.rows()[0]
    assert (row["timeout"], row["dynamic"]) == ("50m", "true")
    clock.advance(3000)
    assert lists.rows() == []
    assert seen[-1] == {".id": row_id, ".dead": "true"}


async def test_link_of_a_port_is_counted_and_logged():
    router, _ = provider()
    set_link(router, "ether1", up=False)
    row = router.menu("/interface").row(name="ether1")
    assert (row["running"], row["link-downs"]) == ("false", "1")
    assert messages(router, "interface") == ["ether1 link down"]


async def test_clock_can_be_set_and_zone_is_checked():
    router, _ = provider()
    clock = router.menu("/system/clock")
    clock.set("", date="2030-01-02", time="03:04:05")
    row = clock.rows()[0]
    assert (row["date"], row["time"], row["gmt-offset"]) == ("2030-01-02", "03:04:05", "+07:00")
    clock.set("", time_zone_name="Asia/Jayapura")
    assert clock.rows()[0]["gmt-offset"] == "+09:00"
    with pytest.raises(Trap, match="input does not match any value of time-zone-name"):
        clock.set("", time_zone_name="Asia/Atlantis")
