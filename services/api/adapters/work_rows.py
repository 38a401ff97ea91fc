"""Which announced work lasts now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.api.core.announced import WorkNow, lasts
from shared.contracts.inventory import Host, Maintenance
from shared.db import Transaction

_BEGUN = """
    select * from maintenances
        where begins_at <= $1 and ends_at + coalesce(duration_s, 0) * interval '1 second' > $1
        order by title, id
"""
_FIRST_OUTAGES = """
    select host_id, min(since) as since from host_transitions
        where since >= $1 and since < $2 and state in ('down', 'unreachable') group by host_id
"""


async def read_work(tx: Transaction, hosts: Sequence[Host], now: datetime) -> tuple[WorkNow, ...]:
    """By title."""
    found = []
    for row in await tx.fetch(_BEGUN, now):
        work = Maintenance.model_validate(dict(row))
        outages: dict[str, datetime] = {}
        if work.duration_s is not None:
            rows = await tx.fetch(_FIRST_OUTAGES, work.begins_at, work.ends_at)
            outages = {each["host_id"]: each["since"] for each in rows}
        lasting = lasts(work, hosts, outages, now)
        if lasting is not None:
            found.append(lasting)
    return tuple(found)
