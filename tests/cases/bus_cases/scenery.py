"""What the cases of the bus play with: messages, who sees them, and ways to wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from shared.bus.ports import ConsumerSpec
from shared.contracts.events import HostDown, HostUp
from shared.contracts.message import Message
from shared.contracts.notify import DeliveryDue
from shared.contracts.streams import EVENTS, BucketSpec

SPEC = ConsumerSpec("worker", EVENTS, (HostDown.filter(), HostUp.filter()))
PATIENCE_S = 10.0
PLAIN_BUCKET = BucketSpec("plain", "Entries that stay.")
SHORT_BUCKET = BucketSpec("short", "Entries that run out.", ttl_s=1.0, marker_ttl_s=2.0)


def down(host: str = "h1", transition: int = 1, **changes: Any) -> HostDown:
    return HostDown.model_validate({**HostDown.EXAMPLE, "host_id": host, "transition": transition, **changes})


def delivery(number: int, chat: str = "c1") -> DeliveryDue:
    return DeliveryDue.model_validate({**DeliveryDue.EXAMPLE, "delivery_id": f"d{number}", "chat_id": chat})


@dataclass
class Seen:
    """What handlers saw, and a way to wait for it."""

    messages: list[Any] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, message: Message) -> None:
        self.note(message)

    def note(self, what: Any) -> None:
        self.messages.append(what)
        self.changed.set()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while len(self.messages) < count:
                self.changed.clear()
                await self.changed.wait()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something becomes true."""
    async with asyncio.timeout(PATIENCE_S):
        while not await condition():  # noqa: ASYNC110 the other side of a wire sets no event
            await asyncio.sleep(0.01)


@asynccontextmanager
async def running(work: Awaitable[None]) -> AsyncIterator[asyncio.Task[None]]:
    """Something that runs until cancelled; if it ends by itself the test learns why."""
    task = asyncio.ensure_future(work)
    try:
        yield task
        if task.done() and not task.cancelled():
            await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def one_letter(bus: Any) -> Any:
    """The only dead letter, when it is there."""

    async def any_letter() -> bool:
        return bool(await bus.dead_letters.list())

    await until(any_letter)
    (letter,) = await bus.dead_letters.list()
    return letter
