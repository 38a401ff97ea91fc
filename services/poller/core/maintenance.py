"""Which announced work covers which host, and when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.contracts.inventory import Host, Maintenance


@dataclass(frozen=True, slots=True)
class Window:
    """A time in which alarms are not wanted; the end is exclusive."""

    begins_at: datetime
    ends_at: datetime

    def holds(self, now: datetime) -> bool:
        """Whether it is now."""
        return self.begins_at <= now < self.ends_at


def covers(maintenance: Maintenance, host: Host) -> bool:
    """Whether this work is on this host, however it is named."""
    return (
        host.id in maintenance.host_ids
        or host.site_id in maintenance.site_ids
        or host.group_id in maintenance.group_ids
        or host.via_router in maintenance.router_ids
    )


def window(maintenance: Maintenance, began_at: datetime | None) -> Window | None:
    """When alarms are not wanted. Flexible work has no window until its first outage (`began_at`)."""
    if maintenance.duration_s is None:
        return Window(maintenance.begins_at, maintenance.ends_at)
    if began_at is None:
        return None
    return Window(began_at, began_at + timedelta(seconds=maintenance.duration_s))


def begins_with(maintenance: Maintenance, outage_at: datetime) -> bool:
    """Whether an outage at that time is the beginning of flexible work."""
    return maintenance.duration_s is not None and maintenance.begins_at <= outage_at < maintenance.ends_at


def next_border(windows: Iterable[Window], now: datetime) -> datetime | None:
    """When the next window begins or ends."""
    borders = (border for window in windows for border in (window.begins_at, window.ends_at))
    return min((border for border in borders if border > now), default=None)
