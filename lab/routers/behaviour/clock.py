"""/system/clock: the router's own idea of the time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from lab.routers import errors
from lab.routers.durations import format_date, parse_date

if TYPE_CHECKING:
    from lab.routers.menu import Item, Row
    from lab.routers.router import VirtualRouter


def install(router: VirtualRouter) -> None:
    menu = router.menu("/system/clock")
    menu.single.values["time-zone-name"] = router.zone

    def live(_item: Item) -> Mapping[str, str | None]:
        now = router.local_time()
        offset = now.strftime("%z")
        return {
            "time": f"{now:%H:%M:%S}",
            "date": format_date(now, iso=router.personality.iso_dates),
            "gmt-offset": f"{offset[:3]}:{offset[3:]}",
            "dst-active": "true" if now.dst() else "false",
        }

    def check(fresh: Mapping[str, str], _item: Item | None) -> None:
        zone = fresh.get("time-zone-name", "manual")
        if zone != "manual" and zone not in available_timezones():
            raise errors.no_match("time-zone-name")

    def changed(item: Item, _before: Row) -> None:
        if item["time-zone-name"] != "manual":
            router.zone = item["time-zone-name"]
        wanted = _wanted(router.local_time(), item)
        if wanted is not None:
            router.clock_offset_s += (wanted - router.local_time()).total_seconds()
        item.values.pop("time", None)
        item.values.pop("date", None)

    menu.views.append(live)
    menu.rules.append(check)
    menu.on_change.append(changed)


def _wanted(now: datetime, item: Item) -> datetime | None:
    """The wall clock somebody set, or None if only the zone changed."""
    if "time" not in item.values and "date" not in item.values:
        return None
    date = parse_date(item.get("date")) or (now.year, now.month, now.day)
    hour, minute, second = (int(part) for part in item.get("time", f"{now:%H:%M:%S}").split(":"))
    year, month, day = date
    return now.replace(year=year, month=month, day=day, hour=hour, minute=minute, second=second)
