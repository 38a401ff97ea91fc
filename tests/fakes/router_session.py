"""A router in memory: tables that refuse what a router refuses, listens that tell, and a session upon it.

    router = FakeRouter(version="6.49.18 (long-term)")
    session = router.session()                      # satisfies shared.routeros.Session
    router.put("/ppp/active", {"name": "budi"})     # the world changes; listens hear it
    router.refuse("/ppp/secret/add", "failure: something")
    router.silence("/ppp/secret/print")             # that command never answers: DeadlineExceeded
    router.vanish()                                 # sessions end: Unreachable everywhere
    router.calls                                    # every command word with its attributes, in order

Menus are created by their first row, or by `menu(path, unique=...)`; any other path is "no such command".
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from itertools import count

from shared.errors import DeadlineExceeded, RondaError, Unreachable
from shared.routeros import Change, Query, Reply, RouterFacts, Row
from shared.routeros.dialects import dialect_for
from shared.routeros.errors import Trap, refusal
from shared.routeros.reply import change_of
from shared.routeros.verbs import DEADLINE, NO_ATTRIBUTES, Verbs, command_words

# Menus most tests touch: the field that must be unique, and what the router says otherwise.
COMMON_MENUS = {
    "/ppp/secret": ("name", "failure: secret with the same name already exists"),
    "/ppp/profile": ("name", "failure: item with this name already exists"),
    "/ppp/active": (None, ""),
    "/ip/hotspot/user": ("name", "failure: already have user with this name for this server"),
    "/ip/hotspot/user/profile": ("name", "failure: item with this name already exists"),
    "/ip/hotspot/active": (None, ""),
    "/ip/hotspot/cookie": (None, ""),
    "/ip/firewall/address-list": (None, ""),
    "/ip/pool": ("name", "failure: item with this name already exists"),
    "/queue/simple": ("name", "failure: item with this name already exists"),
    "/tool/netwatch": (None, ""),
    "/interface": ("name", "failure: item with this name already exists"),
    "/log": (None, ""),
    "/user": ("name", "failure: user with the same name already exists"),
    "/user/group": ("name", "failure: item with this name already exists"),
}


class FakeTrap(Exception):
    """What the router answers instead of a result."""

    def __init__(self, *messages: str) -> None:
        super().__init__(", ".join(messages))
        self.messages = messages


@dataclass
class Menu:
    """A table, in the order of its rows."""

    unique: str | None = None
    duplicate: str = "failure: item with this name already exists"
    rows: dict[str, Row] = field(default_factory=dict)
    singleton: bool = False


Command = Callable[[dict[str, str | None]], "tuple[list[Row], str | None]"]


@dataclass
class Ending:
    """The end of all sessions opened until then."""

    event: asyncio.Event = field(default_factory=asyncio.Event)
    why: str = ""


class FakeRouter:
    """The tables and manners of one router."""

    def __init__(self, *, version: str = "7.16.2 (stable)", identity: str = "Menara-1") -> None:
        self.menus = {path: Menu(unique, words) for path, (unique, words) in COMMON_MENUS.items()}
        self.calls: list[tuple[str, dict[str, str | None]]] = []
        self.commands: dict[str, Command] = {}
        """Commands beyond the common verbs: word → function of the attributes giving rows and `ret`."""
        self.ending = Ending()
        self._ids = count(1)
        self._listeners: dict[str, list[asyncio.Queue[Row]]] = {}
        self._refusals: dict[str, tuple[str, ...]] = {}
        self._silent: set[str] = set()
        self.menus["/system/identity"] = Menu(rows={"": {"name": identity}}, singleton=True)
        resource = {"uptime": "1w2d3h4m5s", "version": version, "board-name": "CHR", "architecture-name": "x86_64"}
        self.menus["/system/resource"] = Menu(rows={"": resource}, singleton=True)

    def session(self, username: str = "ronda") -> FakeRouterSession:
        """A logged-in session."""
        return FakeRouterSession(self, username)

    # ── what a test does to the router ──────────────────────────────────────────────────────────────────

    def menu(self, path: str, *, unique: str | None = None, singleton: bool = False) -> Menu:
        """Have this menu (an empty one unless it is there)."""
        return self.menus.setdefault(path, Menu(unique, rows={"": {}} if singleton else {}, singleton=singleton))

    def put(self, path: str, row: Mapping[str, str]) -> str:
        """The world adds a row (a login, a log line); listens hear it. Its id."""
        item = row.get(".id") or f"*{next(self._ids):X}"
        self.menu(path).rows[item] = {".id": item, **row}
        self._tell(path, self.menus[path].rows[item])
        return item

    def take(self, path: str, item: str) -> None:
        """The world removes a row (a logout); listens hear it."""
        del self.menus[path].rows[item]
        self._tell(path, {".id": item, ".dead": "true"})

    def rows(self, path: str) -> list[Row]:
        """What the table holds now."""
        return list(self.menus[path].rows.values())

    def refuse(self, command: str, *messages: str) -> None:
        """Answer this command word with these traps from now on; without messages, normally again."""
        self._refusals[command] = messages

    def silence(self, command: str, *, silent: bool = True) -> None:
        """Never answer this command word (or answer again)."""
        (self._silent.add if silent else self._silent.discard)(command)

    def vanish(self, why: str = "Menara-1 closed the connection") -> None:
        """Every session ends."""
        self.ending.why = why
        self.ending.event.set()

    def come_back(self) -> None:
        """New sessions can be opened again; old ones stay ended."""
        self.ending = Ending()

    # ── what the router does ────────────────────────────────────────────────────────────────────────────

    def is_silent(self, command: str) -> bool:
        return command in self._silent

    def handle(
        self, command: str, attributes: dict[str, str | None], queries: tuple[str, ...] = ()
    ) -> tuple[list[Row], str | None]:
        """Rows and `ret` of a command. Raises FakeTrap."""
        self.calls.append((command, attributes))
        if self._refusals.get(command):
            raise FakeTrap(*self._refusals[command])
        if command in self.commands:
            return self.commands[command](attributes)
        path, _, verb = command.rpartition("/")
        if path not in self.menus:
            raise FakeTrap(f"no such command or directory ({path.rpartition('/')[2]})", "no such command prefix")
        act = _VERBS.get(verb)
        if act is None:
            raise FakeTrap("no such command")
        return act(self, path, dict(attributes), queries)

    def listen(self, path: str) -> asyncio.Queue[Row]:
        """Changes of a menu from now on. Raises FakeTrap."""
        if path not in self.menus:
            raise FakeTrap(f"no such command or directory ({path.rpartition('/')[2]})", "no such command prefix")
        queue: asyncio.Queue[Row] = asyncio.Queue()
        self._listeners.setdefault(path, []).append(queue)
        return queue

    def unlisten(self, path: str, queue: asyncio.Queue[Row]) -> None:
        self._listeners[path].remove(queue)

    def _tell(self, path: str, row: Row) -> None:
        for queue in self._listeners.get(path, ()):
            queue.put_nowait(dict(row))

    def _print(self, path: str, attributes: dict, queries: tuple[str, ...]) -> tuple[list[Row], str | None]:
        rows = [row for row in self.menus[path].rows.values() if _holds(queries, row)]
        if "count-only" in attributes and self.menus[path].singleton:
            raise FakeTrap("unknown parameter count-only")
        if "count-only" in attributes:
            return [], str(len(rows))
        proplist = attributes.get(".proplist")
        return [_only(row, proplist.split(",") if proplist else None) for row in rows], None

    def _add(self, path: str, attributes: dict, _: tuple[str, ...]) -> tuple[list[Row], str | None]:
        menu = self.menus[path]
        self._check_unique(menu, attributes, None)
        item = f"*{next(self._ids):X}"
        menu.rows[item] = {".id": item, "disabled": "false"}
        self._change(path, item, attributes)
        return [], item

    def _set(self, path: str, attributes: dict, _: tuple[str, ...]) -> tuple[list[Row], str | None]:
        for item in self._items(path, attributes):
            self._check_unique(self.menus[path], attributes, item)
            self._change(path, item, attributes)
        return [], None

    def _remove(self, path: str, attributes: dict, _: tuple[str, ...]) -> tuple[list[Row], str | None]:
        for item in self._items(path, attributes):
            self.take(path, item)
        return [], None

    def _enable(self, path: str, attributes: dict, _: tuple[str, ...]) -> tuple[list[Row], str | None]:
        return self._set(path, {**attributes, "disabled": "false"}, ())

    def _disable(self, path: str, attributes: dict, _: tuple[str, ...]) -> tuple[list[Row], str | None]:
        return self._set(path, {**attributes, "disabled": "true"}, ())

    def _unset(self, path: str, attributes: dict, _: tuple[str, ...]) -> tuple[list[Row], str | None]:
        name = attributes.pop("value-name")
        return self._set(path, {**attributes, name: None}, ())

    def _items(self, path: str, attributes: dict) -> list[str]:
        if self.menus[path].singleton:
            return [""]
        wanted = (attributes.pop(".id", None) or attributes.pop("numbers", None) or "").split(",")
        rows = self.menus[path].rows
        by_name = {row.get("name"): item for item, row in rows.items()}
        found = [item if item in rows else by_name.get(item) for item in wanted]
        if None in found:
            raise FakeTrap("no such item")
        return found

    def _check_unique(self, menu: Menu, attributes: dict, item: str | None) -> None:
        value = attributes.get(menu.unique) if menu.unique else None
        if value is not None and any(
            row.get(menu.unique) == value and row[".id"] != item for row in menu.rows.values()
        ):
            raise FakeTrap(menu.duplicate)

    def _change(self, path: str, item: str, attributes: dict) -> None:
        row = self.menus[path].rows[item]
        for name, value in attributes.items():
            if name.startswith("!") or value is None:
                row.pop(name.removeprefix("!"), None)
            else:
                row[name] = {"yes": "true", "no": "false"}.get(value, value) if name == "disabled" else value
        self._tell(path, row)


_VERBS = {
    "print": FakeRouter._print,
    "getall": FakeRouter._print,
    "add": FakeRouter._add,
    "set": FakeRouter._set,
    "remove": FakeRouter._remove,
    "enable": FakeRouter._enable,
    "disable": FakeRouter._disable,
    "unset": FakeRouter._unset,
}


def _only(row: Row, names: list[str] | None) -> Row:
    return dict(row) if names is None else {name: row[name] for name in names if name in row}


def _holds(queries: tuple[str, ...], row: Row) -> bool:
    stack: list[bool] = []
    for word in queries:
        if word.startswith("?#"):
            for operator in word[2:]:
                if operator == "!":
                    stack.append(not stack.pop())
                else:
                    right, left = stack.pop(), stack.pop()
                    stack.append(left and right if operator == "&" else left or right)
        else:
            stack.append(_compares(word[1:], row))
    return all(stack)


def _compares(word: str, row: Row) -> bool:
    if word[0] == "-":
        return word[1:] not in row
    if word[0] in "<>":
        name, _, value = word[1:].partition("=")
        ordered = sorted((row.get(name, ""), value), key=lambda text: (len(text), text))
        return row.get(name) != value and (ordered[0] == value) == (word[0] == ">")
    name, given, value = word.removeprefix("=").partition("=")
    return row.get(name) == value if given else name in row


class FakeRouterSession(Verbs):
    """A session on a FakeRouter: same verbs, same errors, no wire."""

    def __init__(self, router: FakeRouter, username: str = "ronda") -> None:
        self.router = router
        self.username = username
        self._ending = router.ending
        identity, resource = (router.rows(f"/system/{name}")[0] for name in ("identity", "resource"))
        self.facts = RouterFacts.of(identity, resource)
        self.dialect = dialect_for(self.facts.version)
        self.closed = False

    @property
    def is_open(self) -> bool:
        return not self._ending.event.is_set() and not self.closed

    async def run(
        self,
        command: str,
        attributes: Mapping[str, str | None] = NO_ATTRIBUTES,
        *,
        query: Query | None = None,
        deadline: float = DEADLINE,
    ) -> Reply:
        words = command_words(command, attributes, query)
        await asyncio.sleep(0)
        self._check_open()
        if self.router.is_silent(command):
            raise DeadlineExceeded(f"{command}: no answer within {deadline:g} s")
        try:
            queries = tuple(word for word in words if word.startswith("?"))
            rows, ret = self.router.handle(command, dict(attributes), queries)
        except FakeTrap as trap:
            raise refusal(command, [Trap(message) for message in trap.messages]) from trap
        return Reply(rows, ret)

    @contextlib.asynccontextmanager
    async def listen(self, path: str, proplist: tuple[str, ...] = ()) -> AsyncIterator[AsyncIterator[Change]]:
        self._check_open()
        names = list(dict.fromkeys((".id", ".dead", *proplist))) if proplist else None
        try:
            queue = self.router.listen(path)
        except FakeTrap as trap:
            raise refusal(f"{path}/listen", [Trap(message) for message in trap.messages]) from trap
        changes = self._changes(queue, names)
        try:
            yield changes
        finally:
            await changes.aclose()
            self.router.unlisten(path, queue)

    async def _changes(self, queue: asyncio.Queue[Row], names: list[str] | None) -> AsyncIterator[Change]:
        while True:
            waits = [asyncio.ensure_future(wait) for wait in (queue.get(), self._ending.event.wait())]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                if not waits[0].done():
                    raise Unreachable(self._ending.why)
            finally:
                for wait in waits:
                    wait.cancel()
            yield change_of(_only(waits[0].result(), names))

    @contextlib.asynccontextmanager
    async def stream(
        self, command: str, attributes: Mapping[str, str | None] = NO_ATTRIBUTES, *, most: int | None = None
    ) -> AsyncIterator[AsyncIterator[Row]]:
        async def rows() -> AsyncIterator[Row]:
            reply = await self.run(command, attributes)
            for row in reply.rows[:most]:
                yield row

        yield rows()

    async def wait_ended(self) -> RondaError:
        await self._ending.event.wait()
        return Unreachable(self._ending.why)

    async def close(self) -> None:
        self.closed = True

    def _check_open(self) -> None:
        if self._ending.event.is_set():
            raise Unreachable(self._ending.why)
        if self.closed:
            raise Unreachable("the session was closed")
