"""What a router says of its own health: `/system/resource`, `/system/health`, `/system/clock`, and address pools."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.poller.core.limits import Place
from shared.contracts.samples import Reading
from shared.contracts.vocabulary import RouterResource as Resource
from shared.errors import Invalid
from shared.routeros import Dialect, HealthReading, Row
from shared.routeros.durations import parse_duration

RESOURCE_COLUMNS = (
    "uptime",
    "cpu-load",
    "free-memory",
    "total-memory",
    "free-hdd-space",
    "total-hdd-space",
)
CLOCK_COLUMNS = ("date", "time", "gmt-offset")
_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)(?::(\d\d))?", re.ASCII)
_METRICS = {"C": "temperature_c", "V": "voltage_v", "A": "current_a", "W": "power_w", "RPM": "fan_rpm"}
_LIMITED = {
    "cpu_percent": Resource.CPU,
    "memory_percent": Resource.MEMORY,
    "disk_percent": Resource.DISK,
    "temperature_c": Resource.TEMPERATURE,
    "voltage_v": Resource.VOLTAGE,
    "pool_percent": Resource.POOL,
    "clock_drift_s": Resource.CLOCK,
}


def read_resource(row: Row) -> list[Reading]:
    """Load, memory, disk and uptime; what the row lacks is left out."""
    readings: list[Reading] = []
    if (load := _number(row.get("cpu-load"))) is not None:
        readings.append(Reading(metric="cpu_percent", value=load))
    memory = _used(row, "free-memory", "total-memory")
    if memory is not None:
        used, total = memory
        readings.append(Reading(metric="memory_percent", value=round(100 * used / total, 1)))
        readings.append(Reading(metric="memory_used_bytes", value=used))
    disk = _used(row, "free-hdd-space", "total-hdd-space")
    if disk is not None:
        readings.append(Reading(metric="disk_percent", value=round(100 * disk[0] / disk[1], 1)))
    if (uptime_s := read_uptime(row)) is not None:
        readings.append(Reading(metric="uptime_s", value=uptime_s))
    return readings


def read_uptime(row: Row) -> float | None:
    """Seconds since the router started; None if it does not say."""
    try:
        return parse_duration(row["uptime"]).total_seconds()
    except (KeyError, Invalid):
        return None


def read_sensors(sensors: Iterable[HealthReading]) -> list[Reading]:
    """Sensors that measure something; states (`fan-mode`, `psu1-state`) are left out."""
    found: list[Reading] = []
    for sensor in sensors:
        metric, value = _METRICS.get(sensor.unit), _number(sensor.value)
        if metric is not None and value is not None:
            found.append(Reading(metric=metric, part=sensor.name, value=value))
    return found


def limited(readings: Sequence[Reading]) -> dict[Place, float]:
    """The readings that may have a limit, by their place."""
    return {
        (_LIMITED[reading.metric], reading.part): reading.value for reading in readings if reading.metric in _LIMITED
    }


# ── the clock ───────────────────────────────────────────────────────────────────────────────────────────────────────


def clock_drift_s(row: Row, dialect: Dialect, asked_at: datetime, answered_at: datetime) -> float | None:
    """How far the router's clock is ahead of ours, in seconds; 0.0 within what a second and the way there hide.

    A router speaks of its wall clock in whole seconds and never of UTC: `gmt-offset` (daylight saving included) leads
    there. None if the row cannot be read.
    """
    offset, wall = _offset(row.get("gmt-offset", "")), _wall(row, dialect)
    if offset is None or wall is None:
        return None
    theirs = (wall - offset).replace(tzinfo=UTC) + timedelta(seconds=0.5)
    way = answered_at - asked_at
    drift_s = (theirs - (asked_at + way / 2)).total_seconds()
    hidden_s = 0.5 + way.total_seconds() / 2
    return 0.0 if abs(drift_s) <= hidden_s else round(drift_s, 1)


@dataclass(frozen=True, slots=True)
class WallClock:
    """How to read the moments that a router writes: its wall clock, compared with ours once. Neither zone nor a wrong
    clock matters."""

    dialect: Dialect
    ahead: timedelta
    """By how much the (naive) wall clock of the router is ahead of our UTC."""

    def moment(self, text: str, now: datetime) -> datetime | None:
        """A moment in our time; None if it cannot be read. 6 shortens moments of this day and this year."""
        if not text:
            return None
        try:
            wall = self.dialect.read_moment(text, (now.replace(tzinfo=None) + self.ahead).date())
        except Invalid:
            return None
        return (wall - self.ahead).replace(tzinfo=UTC)


def wall_clock(row: Row, dialect: Dialect, now: datetime) -> WallClock | None:
    """From a row of `/system/clock` that was read just now; None if it cannot be read."""
    wall = _wall(row, dialect)
    return None if wall is None else WallClock(dialect, wall - now.replace(tzinfo=None))


def _wall(row: Row, dialect: Dialect) -> datetime | None:
    try:
        return dialect.read_moment(f"{row['date']} {row['time']}")
    except (KeyError, Invalid):
        return None


def _offset(text: str) -> timedelta | None:
    found = _OFFSET.fullmatch(text)
    if found is None:
        return None
    hours, minutes, seconds = int(found[2]), int(found[3]), int(found[4] or 0)
    offset = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return -offset if found[1] == "-" else offset


# ── pools ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def pool_size(ranges: str) -> int | None:
    """How many addresses `10.0.0.2-10.0.0.9,10.1.0.0/24` holds; None if it cannot be read."""
    total = 0
    try:
        for part in ranges.split(","):
            first, dash, last = part.strip().partition("-")
            if dash:
                total += int(ipaddress.ip_address(last)) - int(ipaddress.ip_address(first)) + 1
            else:
                total += _network_size(first)
    except ValueError:
        return None
    return total if total > 0 else None


def _network_size(text: str) -> int:
    network = ipaddress.ip_network(text, strict=False)
    return network.num_addresses - (2 if network.version == 4 and network.prefixlen < 31 else 0)


def pool_readings(name: str, used: int, total: int | None) -> list[Reading]:
    """How full a pool is."""
    readings = [Reading(metric="pool_used", part=name, value=used)]
    if total:
        readings.append(Reading(metric="pool_total", part=name, value=total))
        readings.append(Reading(metric="pool_percent", part=name, value=round(100 * used / total, 1)))
    return readings


def _used(row: Row, free_name: str, total_name: str) -> tuple[float, float] | None:
    free, total = _number(row.get(free_name)), _number(row.get(total_name))
    if free is None or not total:
        return None
    return total - free, total


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None
