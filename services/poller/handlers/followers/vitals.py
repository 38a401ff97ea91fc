"""Load, memory, disk, sensors and clock of a router, at an interval."""

from __future__ import annotations

from services.poller.core.vitals import (
    CLOCK_COLUMNS,
    RESOURCE_COLUMNS,
    clock_drift_s,
    read_resource,
    read_sensors,
    read_uptime,
)
from services.poller.handlers.followers.boot import BootFollower
from services.poller.handlers.followers.post import Post
from services.poller.handlers.followers.stress import StressTeller
from shared.contracts.samples import Reading
from shared.contracts.vocabulary import RouterResource as Resource
from shared.errors import RondaError, Unreachable
from shared.routeros import FeatureMissing, Line, Row, Session

_HEALTH_COLUMNS = ("name", "value", "type")


class VitalsLook:
    """Three short questions: resource, health, clock."""

    name = "vitals"

    def __init__(self, post: Post, stress: StressTeller, boot: BootFollower) -> None:
        self._post = post
        self._stress = stress
        self._boot = boot
        self._sensors = True

    @property
    def every_s(self) -> float:
        return self._post.pace.interval_s

    def begin(self) -> None:
        """Sensors may be there after an upgrade; a row of readings ends with its connection."""
        self._sensors = True
        self._stress.interrupted()

    async def look(self, session: Session) -> None:
        """Read, publish, judge. What cannot be read is left out and not judged."""
        row = _first(await session.print_rows("/system/resource", RESOURCE_COLUMNS))
        if (uptime_s := read_uptime(row)) is not None:
            self._boot.runs(uptime_s)
        readings = read_resource(row)
        read = {Resource.CPU, Resource.MEMORY, Resource.DISK} if row else set()
        sensors = await self._read_health(session)
        if sensors is not None:
            readings += sensors
            read |= {Resource.TEMPERATURE, Resource.VOLTAGE}
        drift_s = await self._read_clock(session)
        if drift_s is not None:
            readings.append(Reading(metric="clock_drift_s", value=drift_s))
        self._stress.judge(readings, read)
        await self._post.measured([*readings, *self._sessions()])

    async def _read_health(self, session: Session) -> list[Reading] | None:
        """The sensors; None if they could not be read. 7 lists them by name, 6 has one row whose columns differ from
        board to board; a CHR has no such menu, or one without sensors."""
        if not self._sensors:
            return None
        columns = _HEALTH_COLUMNS if session.dialect.line is Line.V7 else ()
        try:
            rows = await session.print_rows("/system/health", columns)
        except FeatureMissing:
            self._sensors = False
            return None
        except Unreachable:
            raise
        except RondaError:
            return None
        return read_sensors(session.dialect.read_health(rows))

    async def _read_clock(self, session: Session) -> float | None:
        asked_at = self._post.clock.now()
        try:
            row = _first(await session.print_rows("/system/clock", CLOCK_COLUMNS))
        except Unreachable:
            raise
        except RondaError:
            return None
        drift_s = clock_drift_s(row, session.dialect, asked_at, self._post.clock.now())
        return None if drift_s is None else self._post.jury.heard(self._post.router.id, drift_s, asked_at)

    def _sessions(self) -> list[Reading]:
        return [Reading(metric="sessions", part=name, value=count) for name, count in self._post.sessions().items()]


def _first(rows: list[Row]) -> Row:
    return rows[0] if rows else {}
