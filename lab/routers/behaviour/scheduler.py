"""/system/scheduler: scripts that run at a time of day and every so often."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from lab.routers.clock import Timer
from lab.routers.durations import format_date, format_datetime, format_log_time, parse_date, parse_duration

if TYPE_CHECKING:
    from lab.routers.menu import Item, Row
    from lab.routers.router import VirtualRouter


class Scheduler:
    """One timer for each enabled row that still has a run to come."""

    def __init__(self, router: VirtualRouter) -> None:
        self._router = router
        self._menu = router.menu("/system/scheduler")
        self._timers: dict[str, Timer] = {}
        self._next: dict[str, datetime] = {}
        self._menu.views.append(self._live)
        self._menu.on_add.append(self._added)
        self._menu.on_change.append(self._changed)
        self._menu.on_remove.append(lambda item: self._forget(item.id))
        router.on_reboot.append(self._reboot)

    def _live(self, item: Item) -> Mapping[str, str | None]:
        due = self._next.get(item.id)
        if due is None:
            return {"next-run": None}
        if self._router.personality.line == 7:
            return {"next-run": format_datetime(due, iso=self._router.personality.iso_dates)}
        return {"next-run": format_log_time(due, self._router.local_time(), iso=False)}

    def _added(self, item: Item) -> None:
        now = self._router.local_time()
        item.values.setdefault("start-date", format_date(now, iso=self._router.personality.iso_dates))
        item.values.setdefault("start-time", f"{now:%H:%M:%S}")
        item.values.setdefault("owner", "admin")
        self._plan(item)

    def _changed(self, item: Item, before: Row) -> None:
        watched = ("start-date", "start-time", "interval", "disabled")
        if any(item.get(name) != before.get(name, "") for name in watched):
            self._plan(item)

    def _forget(self, row_id: str) -> None:
        self._next.pop(row_id, None)
        timer = self._timers.pop(row_id, None)
        if timer is not None:
            timer.cancel()

    def _plan(self, item: Item, *, booted: bool = False) -> None:
        self._forget(item.id)
        if item.disabled:
            return
        now = self._router.local_time()
        due = self._due(item, now, booted=booted)
        if due is None:
            return
        self._next[item.id] = due
        self._timers[item.id] = self._router.after((due - now).total_seconds(), lambda: self._run(item))

    def _due(self, item: Item, now: datetime, *, booted: bool) -> datetime | None:
        """The first run that is still to come."""
        every_s = parse_duration(item.get("interval", "0s")) or 0.0
        if item.get("start-time") == "startup":
            if booted:
                return now + timedelta(seconds=3)
            return now + timedelta(seconds=every_s) if every_s else None
        start = self._start(item, now)
        if start > now:
            return start
        if not every_s:
            return None
        passed = int((now - start).total_seconds() // every_s) + 1
        return start + timedelta(seconds=passed * every_s)

    @staticmethod
    def _start(item: Item, now: datetime) -> datetime:
        year, month, day = parse_date(item["start-date"]) or (now.year, now.month, now.day)
        parts = [int(part) for part in item["start-time"].split(":")] + [0, 0]
        return now.replace(
            year=year, month=month, day=day, hour=parts[0], minute=parts[1], second=parts[2], microsecond=0
        )

    def _run(self, item: Item) -> None:
        runs = int(item.get("run-count", "0")) + 1
        self._menu.change(item, {"run-count": str(runs)})
        self._plan(item)
        self._router.scripts.start(item.get("on-event"), {})

    def _reboot(self) -> None:
        for item in self._menu:
            item.values["run-count"] = "0"
            self._plan(item, booted=item.get("start-time") == "startup")


def install(router: VirtualRouter) -> Scheduler:
    return Scheduler(router)
