"""The verbs of a session, all made of one `run`, so that the real session and fakes share them."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from shared.errors import DeadlineExceeded, Invalid, NotFound, Refused, Temporary
from shared.routeros.dialects import Dialect
from shared.routeros.errors import FeatureMissing
from shared.routeros.facts import RouterFacts
from shared.routeros.query import Query, equals
from shared.routeros.reply import Reply, Row

DEADLINE = 10.0
"""Seconds a command may take unless its caller says otherwise."""

NO_ATTRIBUTES: Mapping[str, str | None] = {}


class Verbs(ABC):
    """Reading and writing on top of `run`. Errors are those of `run`."""

    facts: RouterFacts
    dialect: Dialect
    username: str

    @abstractmethod
    async def run(
        self,
        command: str,
        attributes: Mapping[str, str | None] = NO_ATTRIBUTES,
        *,
        query: Query | None = None,
        deadline: float = DEADLINE,
    ) -> Reply:
        """Run a whole command word and wait for its end."""

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────────

    async def print_rows(
        self,
        path: str,
        proplist: Sequence[str] = (),
        query: Query | None = None,
        *,
        secrets: bool = False,
        deadline: float = DEADLINE,
    ) -> list[Row]:
        """All rows of a menu, or those the query names, with all properties or those of `proplist`.

        `secrets` asks for passwords too, where the version hides them otherwise.
        """
        attributes: dict[str, str | None] = {}
        if proplist:
            attributes[".proplist"] = ",".join(proplist)
        if secrets and self.dialect.hides_secrets(path):
            attributes["show-sensitive"] = ""
        reply = await self.run(f"{path}/print", attributes, query=query, deadline=deadline)
        return reply.rows

    async def one_row(
        self, path: str, query: Query, proplist: Sequence[str] = (), *, deadline: float = DEADLINE
    ) -> Row | None:
        """The first row the query names, or None: the router was asked and has none."""
        rows = await self.print_rows(path, proplist, query, deadline=deadline)
        return rows[0] if rows else None

    async def count(self, path: str, query: Query | None = None, *, deadline: float = DEADLINE) -> int:
        """How many rows there are. The router walks the table for it: slow above some 10,000 rows."""
        reply = await self.run(f"{path}/print", {"count-only": ""}, query=query, deadline=deadline)
        if reply.ret is None or not reply.ret.isdigit():
            raise Temporary(f"{path} was counted without a result")
        return int(reply.ret)

    async def offers(self, path: str, *, deadline: float = DEADLINE) -> bool:
        """Whether this router has the menu at all (package present, version new enough)."""
        try:
            await self.count(path, equals(".id", "*0"), deadline=deadline)
        except FeatureMissing:
            return False
        except Invalid:
            return True  # menus with a single row know no `count-only`, and say so
        return True

    async def policies(self, *, deadline: float = 3.0) -> frozenset[str] | None:
        """What our own user may do (`read`, `write`, `api`, `sensitive` …), or None where it cannot be read.

        Not read at connect: `/user/group/print` hung on some boxes (zahodi/ansible-mikrotik, issue 17).
        """
        try:
            me = await self.one_row("/user", equals("name", self.username), deadline=deadline)
            name = (me or {}).get("group", "")
            group = await self.one_row("/user/group", equals("name", name), deadline=deadline)
        except (Refused, DeadlineExceeded):
            return None
        granted = (group or {}).get("policy", "").split(",")
        return frozenset(policy for policy in granted if policy and not policy.startswith("!")) or None

    # ── writing ─────────────────────────────────────────────────────────────────────────────────────────

    async def add(self, path: str, attributes: Mapping[str, str], *, deadline: float = DEADLINE) -> str | None:
        """Add an item; its new id, or None from the few menus of old versions that tell none."""
        return (await self.run(f"{path}/add", attributes, deadline=deadline)).ret

    async def set_(
        self, path: str, item: str | None, attributes: Mapping[str, str | None], *, deadline: float = DEADLINE
    ) -> None:
        """Change an item by id (None for a singleton menu). None as a value clears the property."""
        target: dict[str, str | None] = {} if item is None else {".id": _item(item)}
        await self.run(f"{path}/set", {**target, **attributes}, deadline=deadline)

    async def unset(self, path: str, item: str, *names: str, deadline: float = DEADLINE) -> None:
        """Clear properties one by one with the menu's `unset` verb (not every menu has it)."""
        for name in names:
            await self.run(f"{path}/unset", {".id": _item(item), "value-name": name}, deadline=deadline)

    async def remove(self, path: str, *items: str, deadline: float = DEADLINE) -> None:
        """Remove items by id, in one command."""
        await self._on_items(path, "remove", items, deadline)

    async def remove_if_there(self, path: str, *items: str, deadline: float = DEADLINE) -> int:
        """Remove items that may be gone by themselves meanwhile; how many were really removed."""
        outcomes = await asyncio.gather(
            *(self._on_items(path, "remove", (item,), deadline) for item in items), return_exceptions=True
        )
        for outcome in outcomes:
            if outcome is not None and not isinstance(outcome, NotFound):
                raise outcome
        return sum(outcome is None for outcome in outcomes)

    async def enable(self, path: str, *items: str, deadline: float = DEADLINE) -> None:
        """Enable items by id."""
        await self._on_items(path, "enable", items, deadline)

    async def disable(self, path: str, *items: str, deadline: float = DEADLINE) -> None:
        """Disable items by id. A running session of the item goes on: remove it where it is listed."""
        await self._on_items(path, "disable", items, deadline)

    async def _on_items(self, path: str, verb: str, items: Sequence[str], deadline: float) -> None:
        if items:
            await self.run(f"{path}/{verb}", {".id": ",".join(_item(item) for item in items)}, deadline=deadline)


def command_words(command: str, attributes: Mapping[str, str | None], query: Query | None) -> tuple[str, ...]:
    """Attribute and query words of a command. Raises Invalid for what is no command word."""
    if not command.startswith("/") or "=" in command:
        raise Invalid(f"not a RouterOS command: {command!r}")
    words = [f"=!{name}=" if value is None else f"={name}={value}" for name, value in attributes.items()]
    return (*words, *query.words) if query is not None else tuple(words)


def _item(item: str) -> str:
    """An id goes into a comma list, where the empty text would mean "every item" to some menus."""
    if not item or "," in item:
        raise Invalid(f"not an item id: {item!r}")
    return item
