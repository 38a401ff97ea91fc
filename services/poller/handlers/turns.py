"""Log in to many routers a few at a time: a site, or a whole network, is begun in seconds, not all at once.

Each login brings a dozen listens and tables with it. A thousand of them at once keep the event loop so busy that an
answer of the bus is seen more than a second late, on a loaded machine later than anybody waits for it. The next few
begin a while after the loop has come round to the last few, so a loop that is late is given less to do.
"""

from __future__ import annotations

import asyncio
from collections import deque

from services.poller.handlers.routers import Connect
from shared.routeros import RouterAddress, Session

AT_ONCE, APART_S = 8, 0.08  # a hundred a second


class InTurn:
    """A `Connect` whose calls begin a few at a time. Only beginnings take turns: one that hangs holds up no other."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._room = AT_ONCE
        self._next: asyncio.TimerHandle | None = None

    async def __call__(self, address: RouterAddress) -> Session:
        """Connect when it is our turn. Raises what connecting raises."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._let_in()
        await turn
        return await self._connect(address)

    def _let_in(self) -> None:
        while self._waiting and self._room:
            turn = self._waiting.popleft()
            if not turn.done():  # nobody has given it up
                turn.set_result(None)
                self._room -= 1
        if self._next is None and self._room < AT_ONCE:
            self._next = asyncio.get_running_loop().call_later(APART_S, self._make_room)

    def _make_room(self) -> None:
        self._next = None
        self._room = AT_ONCE
        self._let_in()
