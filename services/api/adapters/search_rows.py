"""One question to every table that a person may mean. At most so many rows of each kind."""

from __future__ import annotations

from typing import Any

from services.api.core.search import Found, FoundKind, SearchWish
from shared.db import Transaction

_ACCOUNTS = """
    select a.id, a.name, r.name as place, a.status as state, null as address, null as mac, a.full_name as detail,
        null::timestamptz as at
    from accounts a join routers r on r.id = a.router_id
    where a.status <> 'deleted' and (a.name ilike $1 or a.full_name ilike $1 or a.phone like $1)
    order by lower(a.name) <> lower($3), a.name, a.id limit $2
"""
_SESSIONS = """
    select * from (
        select distinct on (router_id, service, account, mac) session_id as id, account as name, router_name as place,
            case when closed_at is null then 'open' else 'closed' end as state, address, mac, service as detail,
            coalesce(closed_at, opened_at) as at
        from subscriber_sessions
        where account ilike $1 or address ilike $1
            or ($4::text is not null and replace(lower(mac), ':', '') like '%' || $4 || '%')
        order by router_id, service, account, mac, closed_at is null desc, seen_at desc
    ) as newest
    order by lower(coalesce(address, '')) <> lower($3), state desc, at desc nulls last limit $2
"""
_HOSTS = """
    select h.id, h.name, s.name as place, coalesce(t.state, 'unknown') as state, h.address, null as mac,
        null as detail, t.since as at
    from hosts h join sites s on s.id = h.site_id left join host_states t on t.host_id = h.id
    where (h.name ilike $1 or h.address ilike $1)
    order by lower($3) not in (lower(h.name), lower(h.address)), h.name, h.id limit $2
"""
_ROUTERS = """
    select r.id, r.name, s.name as place, coalesce(t.state, 'unknown') as state, r.host as address, null as mac,
        concat_ws(' ', t.board, t.version) as detail, t.since as at
    from routers r join sites s on s.id = r.site_id left join router_states t on t.router_id = r.id
    where (r.name ilike $1 or r.host ilike $1 or t.identity ilike $1)
    order by lower($3) not in (lower(r.name), lower(r.host)), r.name, r.id limit $2
"""


async def search_everywhere(tx: Transaction, wish: SearchWish, limit: int) -> list[Found]:
    """What alive people and things are called so, exact names first."""
    found: list[Found] = []
    common = (wish.pattern, limit, wish.text)
    for kind, sql, args in (
        (FoundKind.ACCOUNT, _ACCOUNTS, common),
        (FoundKind.SESSION, _SESSIONS, (*common, wish.mac)),
        (FoundKind.HOST, _HOSTS, common),
        (FoundKind.ROUTER, _ROUTERS, common),
    ):
        found += [_found(kind, row) for row in await tx.fetch(sql, *args)]
    return found


def _found(kind: FoundKind, row: Any) -> Found:
    return Found(
        kind=kind,
        id=row["id"],
        name=row["name"],
        where=row["place"],
        state=row["state"],
        address=row["address"],
        mac=row["mac"],
        detail=row["detail"] or None,
        at=row["at"],
    )
