"""Alerts as projected from the notifier's events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from services.api.adapters.rows import Where
from services.api.core.alerts import Alert, AlertState
from services.api.core.cursor import Page, PageWish, cut_page
from shared.contracts.events import AlertAcknowledged, AlertEvent, AlertOpened, AlertResolved
from shared.contracts.vocabulary import Severity
from shared.db import Transaction
from shared.errors import NotFound

_ALERT = [field.name for field in fields(Alert)]
_TAKE_IN = """
    insert into alerts
        (incident_id, number, site_id, alert_kind, object_id, object_name, severity, opened_at, told,
         acknowledged_by, acknowledged_at, resolved_at, outage_s)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
    on conflict (incident_id) do update set
        opened_at = coalesce(alerts.opened_at, excluded.opened_at),
        told = case when excluded.opened_at is null then alerts.told else excluded.told end,
        acknowledged_by = coalesce(alerts.acknowledged_by, excluded.acknowledged_by),
        acknowledged_at = coalesce(alerts.acknowledged_at, excluded.acknowledged_at),
        resolved_at = coalesce(alerts.resolved_at, excluded.resolved_at),
        outage_s = coalesce(alerts.outage_s, excluded.outage_s)
"""
_WHAT_WAS_SEEN = """
    select incident_id, seen.body from alerts cross join lateral (
        select body from events
            where type = alerts.alert_kind and alerts.object_id in (router_id, host_id)
              and at <= alerts.opened_at + interval '1 second'
            order by at desc limit 1
    ) as seen
    where resolved_at is null and alert_kind <> all($1)
"""
_TAKEN_ON = """
    update alerts set acknowledged_by = $2, acknowledged_at = $3
    where incident_id = $1 and acknowledged_at is null and resolved_at is null
"""
_IN_STATE = {
    AlertState.OPEN: "(resolved_at is null and acknowledged_at is null)",
    AlertState.ACKNOWLEDGED: "(resolved_at is null and acknowledged_at is not null)",
    AlertState.RESOLVED: "resolved_at is not null",
}


class PostgresAlerts:
    """What `services.api.ports.AlertRows` promises, inside one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def take_in(self, event: AlertEvent) -> None:
        """What an event knows; what an earlier or later one told stays."""
        opened = event if isinstance(event, AlertOpened) else None
        taken = event if isinstance(event, AlertAcknowledged) else None
        over = event if isinstance(event, AlertResolved) else None
        await self._tx.execute(
            _TAKE_IN,
            event.incident_id,
            event.number,
            event.site_id,
            event.alert_kind,
            event.object_id,
            event.object_name,
            event.severity,
            opened.at if opened else None,
            list(opened.told) if opened else [],
            taken.by if taken else None,
            taken.at if taken else None,
            over.at if over else None,
            over.outage_s if over else None,
        )

    async def taken_on(self, incident_id: str, *, by: str, at: datetime) -> None:
        """Somebody has it in hand, before the event says so too."""
        await self._tx.execute(_TAKEN_ON, incident_id, by, at)

    async def get(self, incident_id: str) -> Alert:
        """Raises NotFound."""
        row = await self._tx.fetchrow("select * from alerts where incident_id = $1", incident_id)
        if row is None:
            raise NotFound(f"There is no alert «{incident_id}».")
        return _alert(row)

    async def find(self, states: Sequence[AlertState], wish: PageWish) -> Page[Alert]:
        """Newest first; no states named means all."""
        where = Where()
        if states:
            where.add(f"({' or '.join(_IN_STATE[state] for state in states)})")
        if wish.after:
            where.add("(number, incident_id) < (?, ?)", int(wish.after[0]), wish.after[1])
        sql = (
            f"select * from alerts{where.sql}"  # noqa: S608 - conditions are ours
            f" order by number desc, incident_id desc{where.limit(wish.limit + 1)}"
        )
        rows = [_alert(row) for row in await self._tx.fetch(sql, *where.args)]
        return cut_page(rows, wish, [(str(alert.number), alert.incident_id) for alert in rows])

    async def not_over(self) -> tuple[Alert, ...]:
        """All that are open or taken on."""
        return tuple(map(_alert, await self._tx.fetch("select * from alerts where resolved_at is null")))

    async def seen(self, without: Sequence[str]) -> dict[str, Mapping[str, object]]:
        """What was seen when those were opened that are not over, by incident, `without` these kinds."""
        rows = await self._tx.fetch(_WHAT_WAS_SEEN, list(without))
        return {row["incident_id"]: row["body"] for row in rows}


def _alert(row: Any) -> Alert:
    plain = {name: row[name] for name in _ALERT}
    return Alert(**(plain | {"severity": Severity(plain["severity"]), "told": tuple(plain["told"])}))
