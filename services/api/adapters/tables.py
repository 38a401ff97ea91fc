"""The inventory's tables: columns are the contract's fields, so one class serves nearly all of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, TypeVar

from services.api.adapters.rows import Where, insert_sql, naming, update_sql
from services.api.core.cursor import Page, PageWish, cut_page
from services.api.ports import Kept
from shared.contracts.inventory import Chat, Host, HostGroup, Maintenance, Router, Site
from shared.contracts.message import Contract
from shared.db import Transaction
from shared.errors import NotFound

T = TypeVar("T", Site, Router, Host, Chat, HostGroup, Maintenance)
_KINDS = {"host_groups": "group"}  # where a table is called otherwise than what people call its rows
_USED_BY = {"host_groups": "hosts", "sites": "routers or hosts", "routers": "hosts that it watches"}


def columns_of(model: type[Contract]) -> list[str]:
    """The columns of a contract's table: its fields."""
    return [*model.model_fields]


class InventoryTable(Generic[T]):
    """One kind of entity inside one transaction."""

    def __init__(self, tx: Transaction, table: str, model: type[T]) -> None:
        self._tx = tx
        self._table = table
        self._kind = _KINDS.get(table, table.removesuffix("s"))
        self._model: type[T] = model
        self._columns = columns_of(model)
        self._order = "title" if model is Maintenance else "name"

    async def get(self, entity_id: str) -> Kept[T]:
        """Raises NotFound."""
        row = await self._tx.fetchrow(f"select * from {self._table} where id = $1", entity_id)  # noqa: S608
        if row is None:
            raise NotFound(f"There is no {self._kind} «{entity_id}».")
        return self._kept(row)

    async def find(self, wish: PageWish, **equal: str) -> Page[Kept[T]]:
        """A page in the order of names."""
        where = Where()
        for column, value in equal.items():
            where.add(f"{self._checked(column)} = ?", value)
        if wish.after:
            where.add(f"({self._order}, id) > (?, ?)", *wish.after)
        tail = f" order by {self._order}, id{where.limit(wish.limit + 1)}"
        sql = f"select * from {self._table}{where.sql}{tail}"  # noqa: S608 - names are ours
        rows = [self._kept(row) for row in await self._tx.fetch(sql, *where.args)]
        return cut_page(rows, wish, [(getattr(kept.entity, self._order), kept.entity.id) for kept in rows])

    async def add(self, entity: T, now: datetime) -> Kept[T]:
        """Raises NameTaken."""
        columns = [*self._columns, "created_at", "changed_at"]
        with naming(self._taken(entity)):
            await self._tx.execute(insert_sql(self._table, columns), *self._values(entity), now, now)
        return Kept(entity, now, now)

    async def replace(self, entity: T, now: datetime) -> Kept[T]:
        """Raises NotFound and NameTaken."""
        with naming(self._taken(entity)):
            await self._tx.execute(update_sql(self._table, [*self._columns, "changed_at"]), *self._values(entity), now)
        return await self.get(entity.id)

    async def remove(self, entity_id: str) -> None:
        """Raises NotFound and StillInUse."""
        users = _USED_BY.get(self._table, "users")
        with naming("", f"This {self._kind} still has {users}; move or remove them first."):
            gone = await self._tx.execute(f"delete from {self._table} where id = $1", entity_id)  # noqa: S608
        if gone == "DELETE 0":
            raise NotFound(f"There is no {self._kind} «{entity_id}».")

    def _taken(self, entity: T) -> str:
        if isinstance(entity, Chat):
            return f"There is already a chat for the {entity.channel} address «{entity.address}»."
        return f"There is already a {self._kind} called «{getattr(entity, self._order)}»."

    def _checked(self, column: str) -> str:
        if column not in self._columns:
            raise KeyError(column)
        return column

    def _values(self, entity: T) -> list[Any]:
        plain = entity.model_dump(mode="json")
        return [
            value if isinstance(value := getattr(entity, column), datetime) else plain[column]
            for column in self._columns
        ]

    def _kept(self, row: Any) -> Kept[T]:
        fields = {column: row[column] for column in self._columns}
        return Kept(self._model.model_validate(fields), row["created_at"], row["changed_at"])
