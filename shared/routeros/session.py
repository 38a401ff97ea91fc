"""One conversation with one router: the only door for commands.

    async with await RouterSession.connect(address) as session:
        new = await session.add("/ppp/secret", {"name": "budi", "password": "123"})
        async with session.listen("/ppp/active", (".id", "name")) as changes:
            rows = await session.print_rows("/ppp/active")  # after the listener: nothing is missed
            async for change in changes: ...

Values are text exactly as the router holds them. A failed read raises; it is never an empty list.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from shared.clock import Clock, SystemClock
from shared.errors import DeadlineExceeded, Invalid, NotFound, Refused, RondaError, Temporary, Unreachable
from shared.routeros.address import RouterAddress
from shared.routeros.channel import ChannelLimits, TaggedChannel
from shared.routeros.dialects import Dialect, dialect_for
from shared.routeros.errors import FeatureMissing
from shared.routeros.facts import RouterFacts
from shared.routeros.feeds import Changes, RowStream
from shared.routeros.login import log_in
from shared.routeros.query import Query, equals
from shared.routeros.reply import Reply, Row
from shared.routeros.transport import open_transport

DEADLINE = 10.0
"""Seconds a command may take unless its caller says otherwise."""

_NO_ATTRIBUTES: Mapping[str, str | None] = {}


class RouterSession:
    """A logged-in connection. Safe to use from many tasks at once; each command has its own tag.

    Every command may raise Unreachable (the connection is over), DeadlineExceeded (this command only; the
    connection goes on), and the refusals of `shared.routeros.errors`.
    """

    facts: RouterFacts
    dialect: Dialect

    def __init__(self, address: RouterAddress, channel: TaggedChannel, clock: Clock) -> None:
        self.address = address
        self._channel = channel
        self._clock = clock

    @classmethod
    async def connect(
        cls, address: RouterAddress, *, clock: Clock | None = None, limits: ChannelLimits | None = None
    ) -> Self:
        """Open, log in, read version and identity.

        Raises Unreachable, NotAllowed (login or certificate refused, in the router's words), Misconfigured.
        """
        transport = await open_transport(address)
        channel = TaggedChannel(transport, str(address), limits or ChannelLimits())
        session = cls(address, channel, clock or SystemClock())
        try:
            async with asyncio.timeout(address.connect_timeout):
                await session._introduce()
        except (TimeoutError, DeadlineExceeded) as error:
            await channel.close()
            raise Unreachable(f"{address} did not answer the login in time") from error
        except BaseException:
            await channel.close()
            raise
        channel.watch()
        return session

    async def _introduce(self) -> None:
        await log_in(self.address, self._before_login)
        identity, resource = await asyncio.gather(
            self.run("/system/identity/print"), self.run("/system/resource/print")
        )
        self.facts = RouterFacts.of(_first(identity), _first(resource))
        self.dialect = dialect_for(self.facts.version)

    async def _before_login(self, command: str, attributes: Mapping[str, str]) -> Reply:
        return await self.run(command, attributes, deadline=self.address.connect_timeout)

    # ── any command ─────────────────────────────────────────────────────────────────────────────────────

    async def run(
        self,
        command: str,
        attributes: Mapping[str, str | None] = _NO_ATTRIBUTES,
        *,
        query: Query | None = None,
        deadline: float = DEADLINE,
    ) -> Reply:
        """Run a whole command word such as `/ip/hotspot/active/login` and wait for its end.

        An attribute with None is sent as `=!name=`, which clears the property in a `set`.
        `deadline` is in seconds and includes waiting for a turn. After it (or when the caller is cancelled)
        the command is cancelled at the router too; whether it took effect is then unknown.
        """
        exchange = self._channel.command(command, _words(command, attributes, query))
        timer = asyncio.get_running_loop().call_later(deadline, self._channel.expire, exchange, deadline)
        try:
            return await exchange.future
        except asyncio.CancelledError:
            self._channel.abandon(exchange)
            raise
        finally:
            timer.cancel()

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
            raise Temporary(f"{self.address}: {path} was counted without a result")
        return int(reply.ret)

    async def offers(self, path: str, *, deadline: float = DEADLINE) -> bool:
        """Whether this router has the menu at all (package present, version new enough)."""
        try:
            await self.count(path, equals(".id", "*0"), deadline=deadline)
        except FeatureMissing:
            return False
        return True

    async def policies(self, *, deadline: float = 3.0) -> frozenset[str] | None:
        """What our own user may do (`read`, `write`, `api`, `sensitive` …), or None where it cannot be read.

        Not read at connect: `/user/group/print` hung on some boxes (zahodi/ansible-mikrotik, issue 17).
        """
        try:
            me = await self.one_row("/user", equals("name", self.address.username), deadline=deadline)
            name = (me or {}).get("group", "")
            group = await self.one_row("/user/group", equals("name", name), deadline=deadline)
        except (Refused, DeadlineExceeded):
            return None
        granted = (group or {}).get("policy", "").split(",")
        return frozenset(policy for policy in granted if policy and not policy.startswith("!")) or None

    # ── writing ─────────────────────────────────────────────────────────────────────────────────────────

    async def add(
        self, path: str, attributes: Mapping[str, str], *, deadline: float = DEADLINE
    ) -> str | None:
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
            await self.run(
                f"{path}/{verb}", {".id": ",".join(_item(item) for item in items)}, deadline=deadline
            )

    # ── streams ─────────────────────────────────────────────────────────────────────────────────────────

    def listen(self, path: str, proplist: Sequence[str] = ()) -> Changes:
        """Changes of a menu from now on, as an async context manager; leaving it cancels the listen.

        The command is sent on entering, so a `print_rows` after that misses nothing. Iteration raises
        Unreachable when the connection ends (compare with the whole table after reconnecting), Busy when the
        reader is too slow, FeatureMissing where the menu cannot listen.
        """
        attributes: dict[str, str | None] = {}
        if proplist:
            # Without these two a removed row could not be told; unknown names are ignored by routers.
            attributes[".proplist"] = ",".join(dict.fromkeys((".id", ".dead", *proplist)))
        command = f"{path}/listen"
        return Changes(self._channel, command, _words(command, attributes, None))

    def stream(
        self, command: str, attributes: Mapping[str, str | None] = _NO_ATTRIBUTES, *, most: int | None = None
    ) -> RowStream:
        """Rows of a command that goes on (ping, monitor-traffic), as an async context manager.

        After `most` rows, or on leaving, the command is cancelled at the router.
        """
        return RowStream(self._channel, command, _words(command, attributes, None), most=most)

    # ── life ────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def is_open(self) -> bool:
        """Whether commands can still be sent, as far as is known."""
        return not self._channel.ended.done()

    async def wait_ended(self) -> RondaError:
        """Wait until the connection is over; the reason."""
        return await asyncio.shield(self._channel.ended)

    async def close(self) -> None:
        """Close the connection. Commands still running fail with Unreachable. Safe to call twice."""
        await self._channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _words(command: str, attributes: Mapping[str, str | None], query: Query | None) -> tuple[str, ...]:
    if not command.startswith("/") or "=" in command:
        raise Invalid(f"not a RouterOS command: {command!r}")
    words = [f"=!{name}=" if value is None else f"={name}={value}" for name, value in attributes.items()]
    return (*words, *query.words) if query is not None else tuple(words)


def _item(item: str) -> str:
    """An id goes into a comma list, where the empty text would mean "every item" to some menus."""
    if not item or "," in item:
        raise Invalid(f"not an item id: {item!r}")
    return item


def _first(reply: Reply) -> Row:
    return reply.rows[0] if reply.rows else {}
