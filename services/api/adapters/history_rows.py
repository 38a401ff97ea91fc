"""What the bus told: events, subscribers' sessions, standings of hosts and routers."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from datetime import datetime, timedelta
from typing import Any

from services.api.adapters.board_rows import read_facts, read_hosts
from services.api.adapters.rows import Where, insert_sql
from services.api.adapters.work_rows import read_work
from services.api.core.announced import WorkNow
from services.api.core.cursor import Page, PageWish, cut_page
from services.api.core.facts import BoardFacts
from services.api.core.standings import Condition, HostStanding, RouterStanding, RouterState
from services.api.ports import EventFilter, PastEvent, SessionFilter, SubscriberSession
from shared.contracts.envelope import Envelope
from shared.contracts.events import AccountEvent, Event, SessionChanged, SessionClosed, SessionEvent, SessionOpened
from shared.contracts.vocabulary import HostState, LikelyCause, Service
from shared.db import Transaction
from shared.errors import NotFound

_EVENT = [field.name for field in fields(PastEvent)]
_SESSION = [field.name for field in fields(SubscriberSession)]
_HOST = [field.name for field in fields(HostStanding) if field.name != "conditions"]
_ROUTER = [field.name for field in fields(RouterStanding)]

_FILL_IN = """
    update router_states set identity = coalesce(identity, $2), version = coalesce(version, $3),
        board = coalesce(board, $4) where router_id = $1
"""

_SET_CONDITION = """
    insert into host_conditions (host_id, condition, since, at) values ($1, $2, $3, $4)
    on conflict (host_id, condition) do update set since = excluded.since, at = excluded.at
        where host_conditions.at < excluded.at
"""

_WATCHED_NO_MORE = """
    insert into host_transitions (host_id, since, transition, state, in_maintenance)
    select host_id, now(), max(transition) + 1, 'unknown', false from host_transitions
     where host_id = $1 group by host_id
"""
_OPEN_SESSION = """
    insert into subscriber_sessions
        (session_id, router_id, router_name, site_id, service, account, address, mac, opened_at, seen_at, inferred)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9::timestamptz, $9::timestamptz, $10)
    on conflict (session_id) do update set opened_at = coalesce(subscriber_sessions.opened_at, excluded.opened_at),
        seen_at = excluded.seen_at
"""
_CLOSE_SESSION = """
    insert into subscriber_sessions
        (session_id, router_id, router_name, site_id, service, account, address, mac, opened_at, seen_at, inferred,
         closed_at, duration_s, bytes_in, bytes_out, reason)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9::timestamptz, coalesce($9::timestamptz, $11::timestamptz), $10,
            $11::timestamptz, $12, $13, $14, $15)
    on conflict (session_id) do update set closed_at = excluded.closed_at, bytes_in = excluded.bytes_in,
        bytes_out = excluded.bytes_out, reason = excluded.reason,
        opened_at = coalesce(subscriber_sessions.opened_at, excluded.opened_at),
        duration_s = coalesce(excluded.duration_s,
                              extract(epoch from excluded.closed_at - subscriber_sessions.opened_at))
"""


class PostgresHistory:
    """History inside one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def record(self, envelope: Envelope, event: Event) -> None:
        """Keep an event."""
        scope = {name: getattr(event, name, None) for name in ("site_id", "router_id", "host_id")}
        account = event.name if isinstance(event, AccountEvent) else getattr(event, "account", None)
        body = event.model_dump(mode="json")
        values = (envelope.id, event.NAME, event.at, *scope.values(), account, body)
        await self._tx.execute(insert_sql("events", _EVENT, "on conflict do nothing"), *values)

    async def events(self, chosen: EventFilter, wish: PageWish) -> Page[PastEvent]:
        """Newest first."""
        where = Where()
        where.add("type = any(?)", list(chosen.types) or None)
        where.add("site_id = ?", chosen.site_id)
        where.add("router_id = ?", chosen.router_id)
        where.add("host_id = ?", chosen.host_id)
        where.add("account = ?", chosen.account)
        if wish.after:
            where.add("(at, id) < (?, ?)", _moment(wish.after[0]), wish.after[1])
        sql = f"select * from events{where.sql} order by at desc, id desc{where.limit(wish.limit + 1)}"  # noqa: S608
        rows = [PastEvent(**{name: row[name] for name in _EVENT}) for row in await self._tx.fetch(sql, *where.args)]
        return cut_page(rows, wish, [(event.at.isoformat(), event.id) for event in rows])

    async def open_session(self, event: SessionOpened) -> None:
        """A session began; if its end is known already, it stays ended."""
        await self._tx.execute(_OPEN_SESSION, *_session_head(event), event.at, event.inferred)

    async def change_session(self, event: SessionChanged) -> None:
        """A session goes on with another address or device; one that has ended keeps what it ended with."""
        sql = "update subscriber_sessions set address = $2, mac = $3 where session_id = $1 and closed_at is null"
        await self._tx.execute(sql, event.session_id, event.address, event.mac)

    async def close_session(self, event: SessionClosed) -> None:
        """A session ended, whether or not its beginning was seen."""
        opened_at = event.opened_at
        if opened_at is None and event.duration_s is not None:
            opened_at = event.at - timedelta(seconds=event.duration_s)
        await self._tx.execute(
            _CLOSE_SESSION,
            *_session_head(event),
            opened_at,
            event.inferred,
            event.at,
            event.duration_s,
            event.bytes_in,
            event.bytes_out,
            event.reason,
        )

    async def sessions(self, chosen: SessionFilter, wish: PageWish) -> Page[SubscriberSession]:
        """Newest first."""
        where = Where()
        where.add("router_id = ?", chosen.router_id)
        where.add("account = ?", chosen.account)
        where.add("service = ?", chosen.service)
        if chosen.open_only:
            where.add("closed_at is null")
        if wish.after:
            where.add("(seen_at, session_id) < (?, ?)", _moment(wish.after[0]), wish.after[1])
        sql = (
            f"select * from subscriber_sessions{where.sql}"  # noqa: S608
            f" order by seen_at desc, session_id desc{where.limit(wish.limit + 1)}"
        )
        found = await self._tx.fetch(sql, *where.args)
        rows = [SubscriberSession(**_session_fields(row)) for row in found]
        return cut_page(rows, wish, [(row["seen_at"].isoformat(), row["session_id"]) for row in found])

    async def set_host(self, standing: HostStanding) -> bool:
        """Whether it was news."""
        return await self._set("host_states", _HOST, asdict(standing))

    async def set_router(self, standing: RouterStanding) -> bool:
        """Whether it was news. What a router said of itself is kept while it cannot be asked, even if it comes late."""
        news = await self._set("router_states", _ROUTER, asdict(standing))
        if not news:
            said = (standing.identity, standing.version, standing.board)
            await self._tx.execute(_FILL_IN, standing.router_id, *said)
        return news

    async def hosts(self) -> dict[str, HostStanding]:
        """All standings of hosts, by id."""
        found = {row["host_id"]: _host(row) for row in await self._tx.fetch("select * from host_states")}
        lasting = "select host_id, condition, since from host_conditions where since is not null"
        for row in await self._tx.fetch(lasting):
            if (standing := found.get(row["host_id"])) is not None:
                conditions = {**standing.conditions, Condition(row["condition"]): row["since"]}
                found[row["host_id"]] = replace(standing, conditions=conditions)
        return found

    async def set_condition(self, host_id: str, condition: Condition, *, since: datetime | None, at: datetime) -> None:
        """A condition lasts since then, or (None) is over; what was told later counts."""
        await self._tx.execute(_SET_CONDITION, host_id, condition, since, at)

    async def routers(self) -> dict[str, RouterStanding]:
        """All standings of routers, by id."""
        return {row["router_id"]: _router(row) for row in await self._tx.fetch("select * from router_states")}

    async def forget(self, entity_id: str) -> None:
        """Drop what was known of a host or router that left, and end its sessions in the books."""
        await self._tx.execute("delete from host_states where host_id = $1", entity_id)
        await self._tx.execute("delete from host_conditions where host_id = $1", entity_id)
        await self._tx.execute("delete from router_states where router_id = $1", entity_id)
        await self._tx.execute(_WATCHED_NO_MORE, entity_id)
        await self._tx.execute(
            "update subscriber_sessions set closed_at = now(), reason = 'router removed'"
            " where router_id = $1 and closed_at is null",
            entity_id,
        )

    async def session(self, session_id: str) -> SubscriberSession:
        """Raises NotFound."""
        row = await self._tx.fetchrow("select * from subscriber_sessions where session_id = $1", session_id)
        if row is None:
            raise NotFound(f"There is no session «{session_id}».")
        return SubscriberSession(**_session_fields(row))

    async def board(self, now: datetime) -> BoardFacts:
        """Everything the first page shows."""
        return await read_facts(self._tx, hosts=await self.hosts(), routers=await self.routers(), now=now)

    async def work(self, now: datetime) -> tuple[WorkNow, ...]:
        """Announced work that lasts now."""
        return await read_work(self._tx, await read_hosts(self._tx), now)

    async def _set(self, table: str, columns: list[str], plain: dict[str, Any]) -> bool:
        key = columns[0]
        pairs = ", ".join(
            f"{column} = coalesce(excluded.{column}, {table}.{column})"
            if column in {"identity", "version", "board"}
            else f"{column} = excluded.{column}"
            for column in columns[1:]
        )
        tail = f"on conflict ({key}) do update set {pairs} where {table}.transition < excluded.transition"
        done = await self._tx.execute(insert_sql(table, columns, tail), *(plain[column] for column in columns))
        return done != "INSERT 0 0"


def _session_head(event: SessionEvent) -> tuple[Any, ...]:
    return (
        event.session_id,
        event.router_id,
        event.router_name,
        event.site_id,
        event.service,
        event.account,
        event.address,
        event.mac,
    )


def _session_fields(row: Any) -> dict[str, Any]:
    return {name: row[name] for name in _SESSION} | {"service": Service(row["service"])}


def _host(row: Any) -> HostStanding:
    plain = {name: row[name] for name in _HOST}
    plain["state"] = HostState(plain["state"])
    plain["likely_causes"] = tuple(map(LikelyCause, plain["likely_causes"]))
    return HostStanding(**plain)


def _router(row: Any) -> RouterStanding:
    plain = {name: row[name] for name in _ROUTER}
    return RouterStanding(**(plain | {"state": RouterState(plain["state"])}))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
