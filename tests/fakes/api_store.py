"""The api's memory without a database: all or nothing, like the real one."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from services.api.core.account import Account
from services.api.core.availability import Change
from services.api.core.cursor import Page, PageWish, cut_page
from services.api.core.facts import BoardFacts
from services.api.core.faults import NameTaken
from services.api.core.standings import HostStanding, RouterStanding
from services.api.ports import AccountFilter, AuditLine, BrowserSession, Kept, Person, Token
from shared.contracts.events import AlertEvent, SessionClosed, SessionOpened
from shared.contracts.message import Message
from shared.errors import NotFound

TABLES = ("sites", "routers", "hosts", "chats", "groups", "maintenances", "policies")


def _key(entity: Any) -> tuple[str, str]:
    """By what rows are ordered, and what makes a row that row."""
    name = getattr(entity, "title", None) or entity.name
    return name, getattr(entity, "id", name)


@dataclass
class Rows:
    """Everything that would be in the database or on its way out."""

    tables: dict[str, dict[str, Any]] = field(default_factory=lambda: {n: {} for n in TABLES})
    accounts: dict[str, Account] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    sessions: dict[str, BrowserSession] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    events: dict[str, Message] = field(default_factory=dict)
    open_sessions: dict[str, SessionOpened] = field(default_factory=dict)
    closed_sessions: dict[str, SessionClosed] = field(default_factory=dict)
    hosts: dict[str, HostStanding] = field(default_factory=dict)
    routers: dict[str, RouterStanding] = field(default_factory=dict)
    alerts: list[AlertEvent] = field(default_factory=list)
    changes: dict[str, set[Change]] = field(default_factory=dict)
    seen: set[tuple[str, str]] = field(default_factory=set)
    published: list[Message] = field(default_factory=list)
    announced: dict[str, Any] = field(default_factory=dict)
    audit: list[AuditLine] = field(default_factory=list)


class FakeTable:
    def __init__(self, rows: dict[str, Any]) -> None:
        self._rows = rows

    async def get(self, entity_id):
        if entity_id not in self._rows:
            raise NotFound(entity_id)
        return self._rows[entity_id]

    async def find(self, wish, **equal):
        found = [k for k in self._rows.values() if all(getattr(k.entity, n) == v for n, v in equal.items())]
        keys = sorted(_key(k.entity) for k in found)
        keys = [key for key in keys if wish.after is None or key > wish.after][: wish.limit + 1]
        return cut_page([self._rows[key[1]] for key in keys], wish, keys)

    async def add(self, entity, now):
        name, key = _key(entity)
        if any(_key(kept.entity)[0] == name for kept in self._rows.values()):
            raise NameTaken(name)
        self._rows[key] = Kept(entity, now, now)
        return self._rows[key]

    async def replace(self, entity, now):
        _, key = _key(entity)
        before = await self.get(key)
        self._rows[key] = replace(before, entity=entity, changed_at=now)
        return self._rows[key]

    async def remove(self, entity_id):
        await self.get(entity_id)
        del self._rows[entity_id]


class FakeAccounts:
    def __init__(self, rows: dict[str, Account]) -> None:
        self._rows = rows

    async def get(self, account_id, *, lock=False):
        if account_id not in self._rows:
            raise NotFound(account_id)
        return self._rows[account_id]

    async def by_name(self, router_id, service, name):
        wanted = (router_id, service, name)
        return next((a for a in self._rows.values() if (a.router_id, a.service, a.name) == wanted), None)

    async def find(self, chosen: AccountFilter, wish: PageWish) -> Page[Account]:
        return Page(tuple(account for account in self._rows.values() if not account.gone), None)

    async def add(self, account):
        self._rows[account.id] = account

    replace = add

    async def count_on(self, router_id):
        return sum(account.router_id == router_id and not account.gone for account in self._rows.values())


class FakePeople:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def add(self, person):
        self._rows.people[person.id] = person

    replace = add

    async def get(self, person_id):
        return self._rows.people[person_id]

    async def by_login(self, login):
        return next((person for person in self._rows.people.values() if person.login == login), None)

    async def all(self):
        return list(self._rows.people.values())

    async def add_session(self, session):
        self._rows.sessions[session.digest] = session

    async def session(self, digest):
        found = self._rows.sessions.get(digest)
        return (found, self._rows.people[found.person_id]) if found else None

    async def end_sessions_of(self, person_id):
        self._rows.sessions = {d: s for d, s in self._rows.sessions.items() if s.person_id != person_id}

    async def add_token(self, token):
        self._rows.tokens[token.digest] = token

    async def token(self, digest):
        found = self._rows.tokens.get(digest)
        return (found, self._rows.people[found.person_id]) if found else None


class FakeHistory:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def record(self, envelope, event):
        self._rows.events[envelope.id] = event

    async def open_session(self, event):
        self._rows.open_sessions[event.session_id] = event

    async def change_session(self, event):
        if event.session_id in self._rows.open_sessions:
            self._rows.open_sessions[event.session_id] = event

    async def close_session(self, event):
        self._rows.closed_sessions[event.session_id] = event

    async def set_host(self, standing):
        return _newer(self._rows.hosts, standing.host_id, standing)

    async def set_router(self, standing):
        return _newer(self._rows.routers, standing.router_id, standing)

    async def hosts(self):
        return self._rows.hosts

    async def set_condition(self, host_id, condition, *, since, at):
        standing = self._rows.hosts.get(host_id)
        if standing is not None:
            lasting = {name: began for name, began in standing.conditions.items() if name != condition}
            self._rows.hosts[host_id] = replace(standing, conditions=lasting | ({condition: since} if since else {}))

    async def routers(self):
        return self._rows.routers

    async def forget(self, entity_id):
        self._rows.hosts.pop(entity_id, None)
        self._rows.routers.pop(entity_id, None)

    async def board(self, now):
        return BoardFacts(host_standings=self._rows.hosts, router_standings=self._rows.routers)


class FakeAlerts:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def take_in(self, event):
        self._rows.alerts.append(event)


def _newer(known: dict[str, Any], key: str, standing: Any) -> bool:
    if key in known and known[key].transition >= standing.transition:
        return False
    known[key] = standing
    return True


class FakeMeasured:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def note_change(self, host_id, change):
        self._rows.changes.setdefault(host_id, set()).add(change)


class FakeUnit:
    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        for name, table in rows.tables.items():
            setattr(self, name, FakeTable(table))
        self.accounts = FakeAccounts(rows.accounts)
        self.people = FakePeople(rows)
        self.history = FakeHistory(rows)
        self.alerts = FakeAlerts(rows)
        self.measured = FakeMeasured(rows)

    async def publish(self, message):
        self.rows.published.append(message)

    async def announce(self, key, value):
        self.rows.announced[key] = value

    async def first_time(self, consumer, envelope_id):
        first = (consumer, envelope_id) not in self.rows.seen
        self.rows.seen.add((consumer, envelope_id))
        return first

    async def audit(self, line):
        self.rows.audit.append(line)


class FakeStore:
    """`rows` is what was committed. `breaks` is called just before each commit and may raise."""

    def __init__(self, breaks: Callable[[], None] = lambda: None) -> None:
        self.rows = Rows()
        self.breaks = breaks

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[FakeUnit]:
        unit = FakeUnit(copy.deepcopy(self.rows))
        yield unit
        self.breaks()
        self.rows = unit.rows

    def published(self, kind: type[Message]) -> list[Any]:
        return [message for message in self.rows.published if isinstance(message, kind)]
