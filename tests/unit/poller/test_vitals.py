"""What a router says of its own health, in both dialects."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.poller.core.limits import Resource
from services.poller.core.vitals import (
    clock_drift_s,
    limited,
    pool_readings,
    pool_size,
    read_resource,
    read_sensors,
    read_uptime,
    wall_clock,
)
from shared.routeros import RouterVersion, dialect_for

V6, V7 = (dialect_for(RouterVersion.parse(text)) for text in ("6.49.18", "7.16.2"))
NOW = datetime(2026, 11, 20, 14, 0, 0, tzinfo=UTC)
MIB = 1024 * 1024
RESOURCE = {
    "uptime": "1w2d3h4m5s",
    "cpu-load": "12",
    "free-memory": str(256 * MIB),
    "total-memory": str(1024 * MIB),
    "free-hdd-space": str(96 * MIB),
    "total-hdd-space": str(128 * MIB),
}


def metrics(readings):
    return {(reading.metric, reading.part): reading.value for reading in readings}


def test_resource():
    assert metrics(read_resource(RESOURCE)) == {
        ("cpu_percent", ""): 12,
        ("memory_percent", ""): 75.0,
        ("memory_used_bytes", ""): 768 * MIB,
        ("disk_percent", ""): 25.0,
        ("uptime_s", ""): 788645.0,
    }


def test_resource_that_is_incomplete_for_some_seconds_after_boot():
    assert read_resource({"cpu-load": "", "total-memory": "0", "free-memory": "0"}) == []
    assert read_uptime({"uptime": "soon"}) is None


@pytest.mark.parametrize(
    ("dialect", "rows"),
    [
        pytest.param(V6, [{"voltage": "24.1", "temperature": "41", "fan1-speed": "3000", "fan-mode": "auto"}], id="6"),
        pytest.param(
            V7,
            [
                {".id": "*1", "name": "voltage", "value": "24.1", "type": "V"},
                {".id": "*2", "name": "temperature", "value": "41", "type": "C"},
                {".id": "*3", "name": "fan1-speed", "value": "3000", "type": "RPM"},
                {".id": "*4", "name": "psu1-state", "value": "ok", "type": ""},
            ],
            id="7",
        ),
    ],
)
def test_health_of_both_lines(dialect, rows):
    readings = read_sensors(dialect.read_health(rows))
    assert metrics(readings) == {
        ("voltage_v", "voltage"): 24.1,
        ("temperature_c", "temperature"): 41,
        ("fan_rpm", "fan1-speed"): 3000,
    }
    assert limited(readings) == {(Resource.VOLTAGE, "voltage"): 24.1, (Resource.TEMPERATURE, "temperature"): 41}


def test_chr_has_no_sensors():
    assert read_sensors(V7.read_health([{"state-after-reboot": "enabled"}])) == []


@pytest.mark.parametrize(
    ("dialect", "row", "drift_s"),
    [
        pytest.param(V7, ("2026-11-20", "21:00:00", "+07:00"), 0.0, id="right-in-jakarta"),
        pytest.param(V6, ("nov/20/2026", "21:00:00", "+07:00"), 0.0, id="right-on-6"),
        pytest.param(V7, ("2026-11-20", "10:30:00", "-03:30"), 0.0, id="right-in-newfoundland"),
        pytest.param(V7, ("2026-11-20", "21:10:00", "+07:00"), 600.5, id="ten-minutes-ahead"),
        pytest.param(V7, ("2026-11-20", "20:50:00", "+07:00"), -599.5, id="ten-minutes-behind"),
        pytest.param(V7, ("2026-11-20", "21:00:00", "+00:00"), 25200.5, id="wall-clock-set-without-a-zone"),
        pytest.param(V7, ("2026-11-21", "00:00:01", "+10:00"), 1.5, id="over-midnight"),
        pytest.param(V6, ("jan/01/1970", "00:00:30", "+00:00"), -1795183169.5, id="before-ntp"),
        pytest.param(V7, ("2026-11-20", "21:00:00", ""), None, id="no-offset"),
        pytest.param(V7, ("someday", "21:00:00", "+07:00"), None, id="no-date"),
    ],
)
def test_clock(dialect, row, drift_s):
    fields = dict(zip(("date", "time", "gmt-offset"), row, strict=True))
    assert clock_drift_s(fields, dialect, NOW, NOW) == drift_s


def test_clock_is_not_blamed_for_the_way_to_it():
    """Asked at 14:00:00, answered at 14:00:10: what it said at some moment in between is all right."""
    for said in ("21:00:00", "21:00:05", "21:00:09"):
        row = {"date": "2026-11-20", "time": said, "gmt-offset": "+07:00"}
        assert clock_drift_s(row, V7, NOW, NOW + timedelta(seconds=10)) == 0.0


@pytest.mark.parametrize(
    ("ranges", "size"),
    [
        ("10.0.0.2-10.0.0.254", 253),
        ("10.0.0.2-10.0.0.9,10.1.0.0/24", 8 + 254),
        ("10.0.0.7", 1),
        ("10.0.0.0/31", 2),
        ("2001:db8::/64", 1 << 64),
        ("*2", None),
        ("", None),
        ("10.0.0.9-10.0.0.2", None),
    ],
)
def test_pool_size(ranges, size):
    assert pool_size(ranges) == size


def test_pool_readings():
    assert metrics(pool_readings("pppoe", 50, 200)) == {
        ("pool_used", "pppoe"): 50,
        ("pool_total", "pppoe"): 200,
        ("pool_percent", "pppoe"): 25.0,
    }
    assert metrics(pool_readings("x", 3, None)) == {("pool_used", "x"): 3}


@pytest.mark.parametrize(
    ("dialect", "clock", "text", "expected"),
    [
        pytest.param(V7, ("2026-11-20", "21:00:00"), "2026-11-20 20:59:00", NOW - timedelta(minutes=1), id="7"),
        pytest.param(V6, ("nov/20/2026", "21:00:00"), "nov/20/2026 20:59:00", NOW - timedelta(minutes=1), id="6"),
        pytest.param(V6, ("nov/20/2026", "21:00:00"), "20:00:00", NOW - timedelta(hours=1), id="6-today"),
        pytest.param(V6, ("nov/20/2026", "21:00:00"), "nov/19 21:00:00", NOW - timedelta(days=1), id="6-this-year"),
        pytest.param(V6, ("jan/01/1970", "00:10:00"), "jan/01/1970 00:01:00", NOW - timedelta(minutes=9), id="no-ntp"),
        pytest.param(V7, ("2026-11-20", "21:00:00"), "", None, id="nothing"),
        pytest.param(V7, ("2026-11-20", "21:00:00"), "never", None, id="no-moment"),
    ],
)
def test_moments_of_a_router_are_read_by_its_own_wall_clock(dialect, clock, text, expected):
    wall = wall_clock(dict(zip(("date", "time"), clock, strict=True)), dialect, NOW)
    assert wall.moment(text, NOW) == expected


def test_wall_clock_that_cannot_be_read():
    assert wall_clock({"date": "someday", "time": "21:00:00"}, V7, NOW) is None
