"""Log in to many routers one after the other: a site, or a whole network, is begun in seconds, not all at once.

Each login brings a dozen listens and tables with it. A thousand of them at once keep the event loop so busy that an
answer of the bus is seen more than a second late, on a loaded machine later than anybody waits for it.
"""

from __future__ import annotations

import asyncio

from services.poller.handlers.routers import Connect
from shared.routeros import RouterAddress, Session

LOGINS_PER_S = 100.0


class InTurn:
    """A `Connect` whose calls begin this far apart. Only beginnings take turns: one that hangs holds up no other."""

    def __init__(self, connect: Connect, *, per_s: float = LOGINS_PER_S) -> None:
        self._connect = connect
        self._apart_s = 1 / per_s
        self._next = float("-inf")

    async def __call__(self, address: RouterAddress) -> Session:
        """Connect when it is our turn. Raises what connecting raises."""
        now = asyncio.get_running_loop().time()
        turn = max(now, self._next)
        self._next = turn + self._apart_s
        if turn > now:
            await asyncio.sleep(turn - now)
        return await self._connect(address)
