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
from shared.errors import DeadlineExceeded, RondaError, Unreachable
from shared.routeros.address import RouterAddress
from shared.routeros.channel import PROBE, ChannelLimits, TaggedChannel
from shared.routeros.dialects import dialect_for
from shared.routeros.facts import RouterFacts
from shared.routeros.feeds import Changes, RowStream
from shared.routeros.login import log_in
from shared.routeros.query import Query
from shared.routeros.reply import Reply, Row
from shared.routeros.transport import open_transport
from shared.routeros.verbs import DEADLINE, NO_ATTRIBUTES, Verbs, command_words


class RouterSession(Verbs):
    """A logged-in connection. Safe to use from many tasks at once; each command has its own tag.

    Every command may raise Unreachable (the connection is over), DeadlineExceeded (this command only; the
    connection goes on), and the refusals of `shared.routeros.errors`.
    """

    def __init__(self, address: RouterAddress, channel: TaggedChannel, clock: Clock) -> None:
        self.address = address
        self.username = address.username
        self._channel = channel
        self.connected_at = clock.now()
        """When this session was opened; less `facts.uptime` it is when the router started."""

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
        attributes: Mapping[str, str | None] = NO_ATTRIBUTES,
        *,
        query: Query | None = None,
        deadline: float = DEADLINE,
    ) -> Reply:
        """Run a whole command word such as `/ip/hotspot/active/login` and wait for its end.

        An attribute with None is sent as `=!name=`, which clears the property in a `set`.
        `deadline` is in seconds and includes waiting for a turn. After it (or when the caller is cancelled)
        the command is cancelled at the router too; whether it took effect is then unknown. Whoever queues
        thousands at once needs a deadline for all of them together: a CHR takes 1 to 20 ms for each.
        """
        exchange = self._channel.command(command, command_words(command, attributes, query))
        timer = asyncio.get_running_loop().call_later(deadline, self._channel.expire, exchange, deadline)
        try:
            return await exchange.future
        except asyncio.CancelledError:
            exchange.give_up()
            self._channel.abandon(exchange)
            raise
        finally:
            timer.cancel()

    # ── streams ─────────────────────────────────────────────────────────────────────────────────────────

    def listen(self, path: str, proplist: Sequence[str] = ()) -> Changes:
        """Changes of a menu from now on, as an async context manager; leaving it cancels the listen.

        On entering the listen is sent and has begun, so a `print_rows` after that misses nothing. Entering
        raises FeatureMissing where the menu cannot listen; iteration raises Unreachable when the connection
        ends (compare with the whole table after reconnecting) and Busy when the reader is too slow.
        """
        attributes: dict[str, str | None] = {}
        if proplist:
            # Without these two a removed row could not be told; unknown names are ignored by routers.
            attributes[".proplist"] = ",".join(dict.fromkeys((".id", ".dead", *proplist)))
        command = f"{path}/listen"
        words = command_words(command, attributes, None)
        return Changes(self._channel, command, words, lambda: self.run(PROBE))

    def stream(
        self, command: str, attributes: Mapping[str, str | None] = NO_ATTRIBUTES, *, most: int | None = None
    ) -> RowStream:
        """Rows of a command that goes on (ping, monitor-traffic), as an async context manager.

        After `most` rows, or on leaving, the command is cancelled at the router.
        """
        return RowStream(self._channel, command, command_words(command, attributes, None), most=most)

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


def _first(reply: Reply) -> Row:
    return reply.rows[0] if reply.rows else {}
