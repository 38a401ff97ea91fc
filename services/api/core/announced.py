"""Announced work: whether it is to come, lasts or is over, and whom it concerns. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.contracts.inventory import Host, Maintenance, Router


class Stage(StrEnum):
    """How far a piece of announced work is."""

    NOW = "now"
    PLANNED = "planned"
    PAST = "past"


Outages = Mapping[str, datetime]
"""By host: its first outage within the window of some flexible work."""


@dataclass(frozen=True, slots=True)
class WorkNow:
    """Work that lasts now, and until when."""

    work: Maintenance
    until: datetime


def concerns(work: Maintenance, host: Host) -> bool:
    """Whether this work is on this host, however it is named."""
    return (
        host.id in work.host_ids
        or host.site_id in work.site_ids
        or (host.group_id is not None and host.group_id in work.group_ids)
        or (host.via_router is not None and host.via_router in work.router_ids)
    )


def concerns_router(work: Maintenance, router: Router) -> bool:
    """Whether this work is on this router."""
    return router.id in work.router_ids or router.site_id in work.site_ids


def lasts(work: Maintenance, hosts: Iterable[Host], outages: Outages, now: datetime) -> WorkNow | None:
    """The work if it lasts now. Flexible work begins with the first outage of a host that it concerns."""
    if work.duration_s is None:
        return WorkNow(work, work.ends_at) if work.begins_at <= now < work.ends_at else None
    mine = [outages[host.id] for host in hosts if host.id in outages and concerns(work, host)]
    begun = min((at for at in mine if work.begins_at <= at < work.ends_at), default=None)
    if begun is None:
        return None
    until = begun + timedelta(seconds=work.duration_s)
    return WorkNow(work, until) if begun <= now < until else None


def stage_of(work: Maintenance, lasting: WorkNow | None, now: datetime) -> Stage:
    """How far it is. Flexible work that waits for its outage is still planned."""
    if lasting is not None:
        return Stage.NOW
    return Stage.PLANNED if now < work.ends_at else Stage.PAST


def work_at(host: Host, work: Iterable[WorkNow]) -> WorkNow | None:
    """The work on a host that lasts longest."""
    return max((each for each in work if concerns(each.work, host)), key=lambda each: each.until, default=None)
