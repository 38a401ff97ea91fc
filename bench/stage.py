"""The running product that benchmarks share: started when the first asks, started anew for another lab."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from deploy.local.rehearsal import Rehearsal, rehearsal
from shared.errors import DeadlineExceeded

_LOOK_EVERY_S = 0.2


class Stage:
    """Holds at most one running product."""

    def __init__(self) -> None:
        self._exits = AsyncExitStack()
        self._lab: tuple[str, ...] | None = None
        self._product: Rehearsal | None = None

    async def product(self, *lab_arguments: str) -> Rehearsal:
        """The product with a lab of these arguments, every host up."""
        if self._product is None or self._lab != lab_arguments:
            await self.clear()
            self._product = await self._exits.enter_async_context(rehearsal(*lab_arguments))
            self._lab = lab_arguments
            await until(lambda: _all_up(self._product), "every host is up")
        return self._product

    async def clear(self) -> None:
        """End what runs."""
        self._product = None
        await self._exits.aclose()
        self._exits = AsyncExitStack()


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    """A stage that is cleared at the end."""
    made = Stage()
    try:
        yield made
    finally:
        await made.clear()


async def until(condition: Callable[[], Awaitable[bool]], what: str, within_s: float = 90.0) -> None:
    """Wait for something to become true. Raises DeadlineExceeded naming it."""
    deadline = time.monotonic() + within_s
    while not await condition():
        if time.monotonic() > deadline:
            raise DeadlineExceeded(f"not within {within_s:.0f} s: {what}")
        await asyncio.sleep(_LOOK_EVERY_S)


async def _all_up(product: Rehearsal | None) -> bool:
    return product is not None and all(host["state"] == "up" for host in await product.all_of("hosts"))
