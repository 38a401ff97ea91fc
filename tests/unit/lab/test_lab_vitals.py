"""How a virtual router is, and what somebody can do to it."""

from __future__ import annotations

import pytest

from lab.chats.desk import DeskError
from lab.control.deeds import do
from lab.control.running import Lab, LabSettings
from lab.routers import Personality, SteppedClock, VirtualRouter
from lab.routers.behaviour import neighbors, system

BOARD = "RB5009UG+S+"


def router(version: str = "7.16.2", board: str = BOARD) -> VirtualRouter:
    return VirtualRouter(Personality(version, board=board), "gw", clock=SteppedClock())


async def test_load_moves_by_itself_or_stays_where_it_is_put():
    here = router()
    resource = here.menu("/system/resource")
    assert 3 <= int(resource.rows()[0]["cpu-load"]) < 15
    here.vitals.strain(cpu=97, memory=50, disk=75)
    row = resource.rows()[0]
    assert (row["cpu-load"], row["free-memory"], row["total-memory"]) == ("97", str(512 << 20), str(1024 << 20))
    assert int(row["free-hdd-space"]) * 4 == int(row["total-hdd-space"])
    here.vitals.strain()
    assert int(resource.rows()[0]["cpu-load"]) < 15


async def test_sensors_have_the_shape_of_the_line():
    six, seven = router("6.49.18"), router()
    for here in (six, seven):
        here.vitals.sense("temperature", "71")
        with pytest.raises(KeyError):
            here.vitals.sense("fan9-speed", "1")
    [row] = six.menu("/system/health").rows()
    assert (row["temperature"], row["voltage"], ".id" in row) == ("71", "24.1", False)
    found = {row["name"]: (row["value"], row["type"]) for row in seven.menu("/system/health").rows()}
    assert (found["temperature"], found["voltage"]) == (("71", "C"), ("24.1", "V"))


async def test_chr_of_7_has_a_health_menu_without_sensors():
    assert router(board="CHR").menu("/system/health").rows() == [{"state-after-reboot": "enabled"}]


async def test_restart_empties_the_log_and_says_why():
    here = router()
    here.log("system,info", "something of before")
    await here.reboot(proper=False)
    await here.server.close()
    assert [row["message"] for row in here.menu("/log").rows()] == ["router was rebooted without proper shutdown"]


async def test_upgrade_changes_the_version_everywhere_but_never_the_line():
    here = router()
    await system.upgrade(here, "7.20.8")
    await here.server.close()
    assert here.menu("/system/resource").rows()[0]["version"] == "7.20.8 (stable)"
    assert {row["version"] for row in here.menu("/system/package").rows()} == {"7.20.8"}
    with pytest.raises(ValueError, match="does not become"):
        await system.upgrade(here, "6.49.18")


async def test_neighbour_appears_once_and_goes():
    here = router()
    neighbors.appear(here, "DC:2C:6E:00:00:01", identity="ap-1", address="10.0.0.9")
    neighbors.appear(here, "DC:2C:6E:00:00:01", identity="ap-1")
    [row] = here.menu("/ip/neighbor").rows()
    assert (row["identity"], row["address4"], row["age"]) == ("ap-1", "10.0.0.9", "0s")
    assert neighbors.vanish(here, "DC:2C:6E:00:00:01")
    assert not neighbors.vanish(here, "DC:2C:6E:00:00:01")


@pytest.fixture
def lab() -> Lab:
    return Lab(LabSettings(host_kind="tcp", hosts=3, subscribers=2))


@pytest.mark.parametrize(
    ("verb", "options", "said"),
    [
        ("unplug", {"port": "ether3"}, "ether3 of {} has no link"),
        ("plug", {"port": "ether3"}, "ether3 of {} has a link"),
        ("strain", {"cpu": 97}, "{}: cpu 97 %"),
        ("strain", {}, "{}: as usual"),
        ("clock", {"seconds": -300}, "the clock of {} is -300 s ahead"),
        ("neighbor", {"mac": "dc:2c:6e:00:00:77"}, "{} sees DC:2C:6E:00:00:77"),
        ("lease", {"mac": "a4:5e:60:00:00:77", "address": "10.0.99.7"}, "A4:5E:60:00:00:77 has 10.0.99.7"),
        ("traffic", {"rx_mbps": 90}, "ether1 of {}: 90 Mbit/s in, 8 out"),
    ],
)
async def test_deeds_on_a_router(lab, verb, options, said):
    name = next(iter(lab.routers))
    assert await do(lab, "routers", name, verb, options) == said.format(name)


@pytest.mark.parametrize(
    ("verb", "options", "why"),
    [
        ("unplug", {"port": "ether99"}, "there is no port ether99"),
        ("sensor", {"sensor": "fan9-speed"}, "has no sensor"),
        ("upgrade", {}, "cannot become nothing"),
        ("strain", {"cpu": "much"}, "cpu must be a number"),
    ],
)
async def test_deeds_that_cannot_be_done(lab, verb, options, why):
    with pytest.raises(DeskError, match=why):
        await do(lab, "routers", next(iter(lab.routers)), verb, options)


async def test_link_and_lease_are_seen_where_a_client_looks(lab):
    name, here = next(iter(lab.routers.items()))
    await do(lab, "routers", name, "unplug", {"port": "ether3"})
    assert here.menu("/interface").row(name="ether3")["running"] == "false"
    await do(lab, "routers", name, "lease", {"mac": "A4:5E:60:00:00:77"})
    assert here.menu("/ip/dhcp-server/lease").row(mac_address="A4:5E:60:00:00:77")["status"] == "bound"
    await do(lab, "routers", name, "release", {"mac": "A4:5E:60:00:00:77"})
    assert here.menu("/ip/dhcp-server/lease").row(mac_address="A4:5E:60:00:00:77") is None
