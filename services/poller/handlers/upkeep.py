"""Announced work: its hosts are measured on and marked; when it is over, each is looked at anew.

The contract with whoever alarms: an event with `in_maintenance` opens nothing, and closes what was open before. A host
that is still down at the end is confirmed by a burst and told down once more, with `previous` down, its original
`since`, and without the mark.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from datetime import datetime

from services.poller.core.maintenance import Window, begins_with, covers, next_border, window
from services.poller.core.records import MaintenanceRecord, maintenance_key
from services.poller.core.roster import Roster
from services.poller.handlers.telling import Teller
from services.poller.watch import Watch
from shared.clock import Clock
from shared.contracts.ids import HostId, MaintenanceId
from shared.contracts.inventory import Maintenance

_LONGEST_REST_S = 3600.0  # somebody may set the clock meanwhile


class Upkeep:
    """Keeps `in_maintenance` of every watch true."""

    def __init__(
        self,
        roster: Roster,
        teller: Teller,
        clock: Clock,
        *,
        began: Mapping[MaintenanceId, datetime] | None = None,
    ) -> None:
        """`began`: when flexible works began, as remembered."""
        self._roster = roster
        self._teller = teller
        self._clock = clock
        self._began = dict(began or {})
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """Works or hosts are others now."""
        self._changed.set()

    def outage_began(self, watch: Watch, since: datetime) -> None:
        """A host went down: flexible work that waits for it begins."""
        for work in self._roster.maintenances.values():
            waits = work.id not in self._began and begins_with(work, since) and covers(work, watch.host)
            if waits:
                self._began[work.id] = since
                record = MaintenanceRecord(order=int(since.timestamp()), id=work.id, began_at=since)
                self._teller.tell(maintenance_key(work.id), None, record)
                watch.in_maintenance = True
                self._changed.set()

    async def run(self, watches: Mapping[HostId, Watch], over: Callable[[Watch], None]) -> None:
        """Mark hosts until cancelled; `over` is called for each whose work has ended."""
        while True:
            self._changed.clear()
            self.mark(watches, over)
            self._forget()
            windows = [when for _, when in self._windows()]
            border = next_border(windows, self._clock.now())
            rest_s = _LONGEST_REST_S if border is None else (border - self._clock.now()).total_seconds() + 0.001
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), min(_LONGEST_REST_S, max(0.0, rest_s)))

    def mark(self, watches: Mapping[HostId, Watch], over: Callable[[Watch], None]) -> None:
        """Mark every host as it is now."""
        now = self._clock.now()
        holding = [work for work, when in self._windows() if when.holds(now)]
        for watch in list(watches.values()):
            before, watch.in_maintenance = watch.in_maintenance, any(covers(work, watch.host) for work in holding)
            if before and not watch.in_maintenance:
                over(watch)

    def _windows(self) -> list[tuple[Maintenance, Window]]:
        works = ((work, window(work, self._began.get(work.id))) for work in self._roster.maintenances.values())
        return [(work, when) for work, when in works if when is not None]

    def _forget(self) -> None:
        """What is gone from the inventory needs no memory."""
        for work_id in self._began.keys() - self._roster.maintenances.keys():
            if self._roster.entries:  # an inventory that has not been read yet names no work either
                del self._began[work_id]
                self._teller.tell(maintenance_key(work_id), None, None)
