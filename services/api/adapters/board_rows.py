"""Everything that the board is judged from, read in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeVar

from services.api.adapters.alert_rows import PostgresAlerts
from services.api.adapters.work_rows import read_work
from services.api.core.facts import BoardEvent, BoardFacts
from services.api.core.problems import SHOWN_BY_THE_ROW
from services.api.core.standings import HostStanding, RouterStanding
from services.api.core.trends import STEP_S, STEPS, slot_of
from shared.contracts.inventory import Host, Router, Site
from shared.db import Transaction

T = TypeVar("T", Site, Router, Host)

BOARD_EVENTS = 40
_QUIET_TYPES = ["inventory.changed", "alert.opened", "alert.resolved"]  # those of hosts and routers say the same
_OPEN_NOW = "select router_id, count(*) as open from subscriber_sessions where closed_at is null group by router_id"
# A session whose beginning nobody saw is left out at its end, too: it was never counted as open.
_NET = """
    select router_id, least(slot, $2)::bigint as slot, sum(step)::bigint as net from (
        select router_id, floor(extract(epoch from opened_at) / $3) as slot, 1 as step
            from subscriber_sessions where opened_at >= $1
        union all
        select router_id, floor(extract(epoch from closed_at) / $3), -1
            from subscriber_sessions where closed_at >= $1 and opened_at is not null
    ) as steps group by 1, 2
"""


async def read_facts(
    tx: Transaction, *, hosts: Mapping[str, HostStanding], routers: Mapping[str, RouterStanding], now: datetime
) -> BoardFacts:
    """The facts of the board with these standings."""
    slot = slot_of(now)
    watched = await read_hosts(tx)
    failed = await tx.fetchval("select count(*) from accounts where apply_state = 'failed'")
    return BoardFacts(
        sites=await _all(tx, "sites", Site),
        routers=await _all(tx, "routers", Router),
        hosts=watched,
        host_standings=hosts,
        router_standings=routers,
        alerts=await PostgresAlerts(tx).not_over(),
        seen=await PostgresAlerts(tx).seen(sorted(SHOWN_BY_THE_ROW)),
        sessions={row["router_id"]: int(row["open"]) for row in await tx.fetch(_OPEN_NOW)},
        session_net=await _session_net(tx, slot),
        slot=slot,
        events=await _events(tx),
        failed_accounts=int(failed),
        work=await read_work(tx, watched, now),
    )


async def read_hosts(tx: Transaction) -> tuple[Host, ...]:
    """All hosts, by name."""
    return await _all(tx, "hosts", Host)


async def _all(tx: Transaction, table: str, model: type[T]) -> tuple[T, ...]:
    rows = await tx.fetch(f"select * from {table} order by name, id")  # noqa: S608 - names are ours
    return tuple(model.model_validate(dict(row)) for row in rows)


async def _session_net(tx: Transaction, slot: int) -> dict[str, dict[int, int]]:
    since = datetime.fromtimestamp((slot - STEPS) * STEP_S, UTC)
    found: dict[str, dict[int, int]] = {}
    for row in await tx.fetch(_NET, since, slot, STEP_S):
        found.setdefault(row["router_id"], {})[row["slot"]] = row["net"]
    return found


async def _events(tx: Transaction) -> tuple[BoardEvent, ...]:
    rows = await tx.fetch(
        "select id, type, at, site_id, body from events where type <> all($1) order by at desc, id desc limit $2",
        _QUIET_TYPES,
        BOARD_EVENTS,
    )
    return tuple(BoardEvent(row["id"], row["type"], row["at"], row["site_id"], row["body"]) for row in rows)
