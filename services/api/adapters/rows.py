"""SQL of one table from the fields of a dataclass or contract. Names come from our own code, values are parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import asyncpg

from services.api.core.faults import NameTaken, StillInUse
from shared.errors import Conflict


class Where:
    """Conditions that grow; empty ones are left out."""

    def __init__(self) -> None:
        self._terms: list[str] = []
        self.args: list[Any] = []

    def add(self, term: str, *values: Any) -> None:
        """A condition with `?` for each value; left out when the first value is None."""
        if values and values[0] is None:
            return
        for value in values:
            self.args.append(value)
            term = term.replace("?", f"${len(self.args)}", 1)
        self._terms.append(term)

    @property
    def sql(self) -> str:
        """The where clause, or nothing."""
        return " where " + " and ".join(self._terms) if self._terms else ""

    def limit(self, rows: int) -> str:
        """The limit clause."""
        self.args.append(rows)
        return f" limit ${len(self.args)}"


def insert_sql(table: str, columns: Sequence[str], tail: str = "") -> str:
    """An insert with one parameter per column."""
    places = ", ".join(f"${place}" for place in range(1, len(columns) + 1))
    return f"insert into {table} ({', '.join(columns)}) values ({places}) {tail}"  # noqa: S608 - names are ours


def update_sql(table: str, columns: Sequence[str]) -> str:
    """An update of the row whose first column is the first parameter."""
    pairs = ", ".join(f"{column} = ${place}" for place, column in enumerate(columns[1:], start=2))
    return f"update {table} set {pairs} where {columns[0]} = $1"  # noqa: S608 - names are ours


@contextmanager
def naming(taken: str, used: str = "Something else still refers to it; remove that first.") -> Iterator[None]:
    """Say what a unique or foreign key means here. Raises NameTaken and StillInUse."""
    try:
        yield
    except Conflict as conflict:
        if isinstance(conflict.__cause__, asyncpg.UniqueViolationError):
            raise NameTaken(taken) from conflict
        if isinstance(conflict.__cause__, asyncpg.ForeignKeyViolationError):
            raise StillInUse(used) from conflict
        raise
