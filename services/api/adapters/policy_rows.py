"""Probe policies of one's own: known by their names, each one kept whole."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.api.adapters.rows import Where, naming
from services.api.core.cursor import Page, PageWish, cut_page
from services.api.ports import Kept
from shared.contracts.inventory import ProbePolicy
from shared.db import Transaction
from shared.errors import NotFound


class PolicyTable:
    """The policies that somebody made or changed; what ships is not here."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def get(self, name: str) -> Kept[ProbePolicy]:
        """Raises NotFound."""
        row = await self._tx.fetchrow("select * from policies where name = $1", name)
        if row is None:
            raise NotFound(f"There is no policy «{name}».")
        return _kept(row)

    async def find(self, wish: PageWish, **_: str) -> Page[Kept[ProbePolicy]]:
        """A page in the order of names."""
        where = Where()
        if wish.after:
            where.add("name > ?", wish.after[0])
        sql = f"select * from policies{where.sql} order by name{where.limit(wish.limit + 1)}"  # noqa: S608
        rows = [_kept(row) for row in await self._tx.fetch(sql, *where.args)]
        return cut_page(rows, wish, [(kept.entity.name, kept.entity.name) for kept in rows])

    async def add(self, policy: ProbePolicy, now: datetime) -> Kept[ProbePolicy]:
        """Raises NameTaken."""
        sql = "insert into policies (name, policy, created_at, changed_at) values ($1, $2, $3, $3)"
        with naming(f"There is already a policy called «{policy.name}»."):
            await self._tx.execute(sql, policy.name, policy.model_dump(mode="json"), now)
        return Kept(policy, now, now)

    async def replace(self, policy: ProbePolicy, now: datetime) -> Kept[ProbePolicy]:
        """Raises NotFound."""
        sql = "update policies set policy = $2, changed_at = $3 where name = $1"
        await self._tx.execute(sql, policy.name, policy.model_dump(mode="json"), now)
        return await self.get(policy.name)

    async def remove(self, name: str) -> None:
        """Raises NotFound."""
        if await self._tx.execute("delete from policies where name = $1", name) == "DELETE 0":
            raise NotFound(f"There is no policy «{name}».")


def _kept(row: Any) -> Kept[ProbePolicy]:
    return Kept(ProbePolicy.model_validate(row["policy"]), row["created_at"], row["changed_at"])
