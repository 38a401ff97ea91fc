"""The shape of a session, for code that should run on the real one and on a fake alike."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from shared.errors import RondaError
from shared.routeros.dialects import Dialect
from shared.routeros.facts import RouterFacts
from shared.routeros.query import Query
from shared.routeros.reply import Change, Reply, Row


class Session(Protocol):
    """What `RouterSession` promises; its docstrings hold. Deadlines are in seconds."""

    @property
    def facts(self) -> RouterFacts: ...

    @property
    def dialect(self) -> Dialect: ...

    @property
    def is_open(self) -> bool: ...

    async def run(
        self,
        command: str,
        attributes: Mapping[str, str | None] = ...,
        *,
        query: Query | None = None,
        deadline: float = ...,
    ) -> Reply: ...

    async def print_rows(
        self,
        path: str,
        proplist: Sequence[str] = (),
        query: Query | None = None,
        *,
        secrets: bool = False,
        deadline: float = ...,
    ) -> list[Row]: ...

    async def one_row(
        self, path: str, query: Query, proplist: Sequence[str] = (), *, deadline: float = ...
    ) -> Row | None: ...

    async def count(self, path: str, query: Query | None = None, *, deadline: float = ...) -> int: ...

    async def offers(self, path: str, *, deadline: float = ...) -> bool: ...

    async def policies(self, *, deadline: float = ...) -> frozenset[str] | None: ...

    async def add(self, path: str, attributes: Mapping[str, str], *, deadline: float = ...) -> str | None: ...

    async def set_(
        self, path: str, item: str | None, attributes: Mapping[str, str | None], *, deadline: float = ...
    ) -> None: ...

    async def unset(self, path: str, item: str, *names: str, deadline: float = ...) -> None: ...

    async def remove(self, path: str, *items: str, deadline: float = ...) -> None: ...

    async def remove_if_there(self, path: str, *items: str, deadline: float = ...) -> int: ...

    async def enable(self, path: str, *items: str, deadline: float = ...) -> None: ...

    async def disable(self, path: str, *items: str, deadline: float = ...) -> None: ...

    def listen(self, path: str, proplist: Sequence[str] = ()) -> AbstractAsyncContextManager[AsyncIterator[Change]]: ...

    def stream(
        self, command: str, attributes: Mapping[str, str | None] = ..., *, most: int | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[Row]]: ...

    async def wait_ended(self) -> RondaError: ...

    async def close(self) -> None: ...
