"""The table of accounts."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from services.api.adapters.rows import Where, insert_sql, naming, update_sql
from services.api.core.account import Account, ApplyState, Failure
from services.api.core.cursor import Page, PageWish, cut_page
from services.api.ports import AccountFilter
from shared.contracts.vocabulary import AccountStatus, Language, Service
from shared.db import Transaction
from shared.errors import NotFound

COLUMNS = [field.name for field in fields(Account)]
_GET = "select * from accounts where id = $1"
_GET_LOCKED = "select * from accounts where id = $1 for update"
_GONE = "(status = 'deleted' and apply_state = 'applied')"


class PostgresAccounts:
    """Accounts inside one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def get(self, account_id: str, *, lock: bool = False) -> Account:
        """Raises NotFound."""
        row = await self._tx.fetchrow(_GET_LOCKED if lock else _GET, account_id)
        if row is None:
            raise NotFound(f"There is no account «{account_id}».")
        return _account(row)

    async def by_name(self, router_id: str, service: Service, name: str) -> Account | None:
        """The account of this name, held until the transaction ends."""
        sql = "select * from accounts where router_id = $1 and service = $2 and name = $3 for update"
        row = await self._tx.fetchrow(sql, router_id, service, name)
        return _account(row) if row else None

    async def find(self, chosen: AccountFilter, wish: PageWish) -> Page[Account]:
        """A page in the order of names."""
        where = Where()
        where.add("router_id = ?", chosen.router_id)
        where.add("service = ?", chosen.service)
        where.add("status = ?", chosen.status)
        where.add("apply_state = ?", chosen.apply_state)
        where.add("name = ?", chosen.name)
        if chosen.status is None:
            where.add(f"not {_GONE}")
        if chosen.text:
            part = f"%{_literal(chosen.text)}%"
            where.add("(name ilike ? or full_name ilike ? or phone like ?)", part, part, part)
        if wish.after:
            where.add("(name, id) > (?, ?)", *wish.after)
        sql = f"select * from accounts{where.sql} order by name, id{where.limit(wish.limit + 1)}"  # noqa: S608
        rows = [_account(row) for row in await self._tx.fetch(sql, *where.args)]
        return cut_page(rows, wish, [(account.name, account.id) for account in rows])

    async def with_phone(self) -> list[Account]:
        """Accounts whose person can be told something."""
        sql = "select * from accounts where phone is not null and status <> 'deleted'"
        return [_account(row) for row in await self._tx.fetch(sql)]

    async def add(self, account: Account) -> None:
        """Raises NameTaken."""
        with naming(f"The router already has a {account.service} account «{account.name}»."):
            await self._tx.execute(insert_sql("accounts", COLUMNS), *_values(account))

    async def replace(self, account: Account) -> None:
        """Write the account as it is now."""
        await self._tx.execute(update_sql("accounts", COLUMNS), *_values(account))

    async def count_on(self, router_id: str) -> int:
        """How many accounts a router has that are not gone."""
        sql = f"select count(*) from accounts where router_id = $1 and not {_GONE}"  # noqa: S608
        return int(await self._tx.fetchval(sql, router_id))


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _values(account: Account) -> list[Any]:
    plain = asdict(account)
    return [plain[column] for column in COLUMNS]


def _account(row: Any) -> Account:
    plain = {column: row[column] for column in COLUMNS}
    plain["service"] = Service(plain["service"])
    plain["status"] = AccountStatus(plain["status"])
    plain["language"] = Language(plain["language"])
    plain["apply_state"] = ApplyState(plain["apply_state"])
    plain["failure"] = Failure(**plain["failure"]) if plain["failure"] else None
    return Account(**plain)
