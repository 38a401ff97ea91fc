"""People, browsers' sessions and tokens."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from services.api.adapters.rows import insert_sql, naming, update_sql
from services.api.core.rights import Scope
from services.api.ports import BrowserSession, Person, Token
from shared.contracts.vocabulary import Language, Role
from shared.db import Transaction
from shared.errors import NotFound

NEVER = datetime(9999, 1, 1, tzinfo=UTC)
_PERSON = [field.name for field in fields(Person)]
_SESSION = [field.name for field in fields(BrowserSession)]
_TOKEN = [field.name for field in fields(Token)]


class PostgresPeople:
    """People inside one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def add(self, person: Person) -> None:
        """Raises NameTaken."""
        with naming(f"There is already a person with the login «{person.login}»."):
            await self._tx.execute(insert_sql("people", _PERSON), *(getattr(person, name) for name in _PERSON))

    async def replace(self, person: Person) -> None:
        """Write the person as they are now."""
        await self._tx.execute(update_sql("people", _PERSON), *(getattr(person, name) for name in _PERSON))

    async def get(self, person_id: str) -> Person:
        """Raises NotFound."""
        row = await self._tx.fetchrow("select * from people where id = $1", person_id)
        if row is None:
            raise NotFound(f"There is no person «{person_id}».")
        return _person(row)

    async def by_login(self, login: str) -> Person | None:
        """The person with this login."""
        row = await self._tx.fetchrow("select * from people where login = $1", login)
        return _person(row) if row else None

    async def all(self) -> list[Person]:
        """Everybody, by name; held, so that two changes of the last owners take turns."""
        return [_person(row) for row in await self._tx.fetch("select * from people order by name, id for update")]

    async def add_session(self, session: BrowserSession) -> None:
        """Keep a session, and forget those that have ended."""
        await self._tx.execute("delete from browser_sessions where expires_at < $1", session.created_at)
        await self._tx.execute(insert_sql("browser_sessions", _SESSION), *(getattr(session, name) for name in _SESSION))

    async def session(self, digest: str) -> tuple[BrowserSession, Person] | None:
        """The session that a cookie opens, and whose it is."""
        row = await self._tx.fetchrow("select * from browser_sessions where digest = $1", digest)
        if row is None:
            return None
        return BrowserSession(**{name: row[name] for name in _SESSION}), await self.get(row["person_id"])

    async def session_end(self, session_id: str) -> datetime | None:
        """When a session ends."""
        sql = "select expires_at from browser_sessions s join people p on p.id = person_id where s.id = $1 and enabled"
        found: datetime | None = await self._tx.fetchval(sql, session_id)
        return found

    async def token_end(self, token_id: str) -> datetime | None:
        """When a token ends."""
        sql = (
            "select coalesce(expires_at, $2) from tokens t join people p on p.id = person_id"
            " where t.id = $1 and enabled"
        )
        found: datetime | None = await self._tx.fetchval(sql, token_id, NEVER)
        return found

    async def end_session(self, session_id: str) -> None:
        """The cookie opens nothing any more."""
        await self._tx.execute("delete from browser_sessions where id = $1", session_id)

    async def end_sessions_of(self, person_id: str) -> None:
        """None of the person's cookies opens anything any more."""
        await self._tx.execute("delete from browser_sessions where person_id = $1", person_id)

    async def add_token(self, token: Token) -> None:
        """Keep a token."""
        values = {name: getattr(token, name) for name in _TOKEN} | {"scopes": sorted(token.scopes)}
        await self._tx.execute(insert_sql("tokens", _TOKEN), *(values[name] for name in _TOKEN))

    async def token(self, digest: str) -> tuple[Token, Person] | None:
        """The token with this hash, and whose it is."""
        row = await self._tx.fetchrow("select * from tokens where digest = $1", digest)
        return (_token(row), await self.get(row["person_id"])) if row else None

    async def tokens(self) -> list[Token]:
        """All tokens, newest first."""
        return [_token(row) for row in await self._tx.fetch("select * from tokens order by id desc")]

    async def remove_token(self, token_id: str) -> None:
        """Raises NotFound."""
        if await self._tx.execute("delete from tokens where id = $1", token_id) == "DELETE 0":
            raise NotFound(f"There is no token «{token_id}».")


def _person(row: Any) -> Person:
    plain = {name: row[name] for name in _PERSON}
    plain["role"] = Role(plain["role"])
    plain["language"] = Language(plain["language"]) if plain["language"] else None
    return Person(**plain)


def _token(row: Any) -> Token:
    plain = {name: row[name] for name in _TOKEN}
    return Token(**(plain | {"scopes": frozenset(map(Scope, plain["scopes"]))}))
