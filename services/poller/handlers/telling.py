"""Tell facts: published first, remembered after, in order per key, and kept while the bus is away.

A crash between the two leaves the memory one step behind the stream. Whoever starts reads both and believes the stream
(`handlers.recall`), so nothing is told twice and nothing is forgotten.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from services.poller.core.records import Record, read_record
from services.poller.handlers.courier import Courier, Outcome
from shared.bus.ports import Bucket, Bus
from shared.contracts.events import Event
from shared.errors import Conflict, RondaError, Temporary

_AT_ONCE = 512  # keys whose facts are on their way side by side: 2,500 a second when the bus answers after 100 ms
_KEPT_PER_KEY = 8  # facts that may wait per key; beyond it the oldest pair of changes in the middle is left out

log = structlog.get_logger(__name__)

Takeover = Callable[[str, bytes], None]


@dataclass(frozen=True, slots=True)
class Told:
    """On its way: the event, and what to remember under the key afterwards (None: nothing is left to remember)."""

    key: str
    event: Event | None  # None: nothing to tell, only to remember
    record: Record | None
    remembers: bool = True


class Teller:
    """The facts that wait to be told, and the revisions of what was remembered."""

    def __init__(self, bus: Bus, memory: Bucket, *, on_takeover: Takeover) -> None:
        """`on_takeover` hears of records that another poller wrote: they are the truth then."""
        self._bus = bus
        self._memory = memory
        self._on_takeover = on_takeover
        self._revisions: dict[str, int] = {}
        self._waiting: dict[str, deque[Told]] = {}
        self._courier = Courier(self._carry, at_once=_AT_ONCE)
        self._trouble = ""
        self.told_total = 0
        self.left_out_total = 0

    @property
    def waiting(self) -> int:
        """How many facts have not been told yet."""
        return sum(len(queue) for queue in self._waiting.values())

    def knows(self, key: str, revision: int) -> None:
        """The memory held this revision of the key when it was read at the start."""
        self._revisions[key] = revision

    def tell(self, key: str, event: Event | None, record: Record | None) -> None:
        """Queue a fact. Never waits. What is only to be remembered takes the place of what waits to be."""
        queue = self._waiting.setdefault(key, deque())
        if event is None and len(queue) > 1 and queue[-1].event is None:
            queue.pop()
        queue.append(Told(key, event, record))
        if len(queue) > _KEPT_PER_KEY:
            del queue[1], queue[1]
            self.left_out_total += 2
        self._courier.more(key)

    def announce(self, key: str, event: Event) -> None:
        """Queue an event after which there is nothing to remember or to forget; `key` orders it among its like."""
        self._waiting.setdefault(key, deque()).append(Told(key, event, None, remembers=False))
        self._courier.more(key)

    async def run(self) -> None:
        """Tell what waits until cancelled."""
        await self._courier.run()

    async def _carry(self, key: str) -> Outcome:
        """Tell the oldest fact of a key."""
        queue = self._waiting.get(key)
        if not queue:
            return Outcome.EMPTY
        if not await self._say(queue[0]):
            return Outcome.AGAIN
        self._trouble = ""
        queue.popleft()
        if queue:
            return Outcome.MORE
        del self._waiting[key]
        return Outcome.EMPTY

    async def _say(self, told: Told) -> bool:
        """Publish and remember; False if it has to be tried again."""
        try:
            if told.event is not None:
                receipt = await self._bus.publish(told.event)
                self.told_total += 1
                log.info("told", fact=told.event.NAME, key=told.key, repeated=receipt.duplicate)
            if told.remembers:
                await self._remember(told)
        except Temporary as problem:
            if self._trouble != str(problem):  # changes, not repetitions
                self._trouble = str(problem)
                log.warning("facts wait for the bus", waiting=self.waiting, reason=self._trouble)
            return False
        except RondaError as problem:
            log.error("a fact could not be told", key=told.key, reason=str(problem))  # noqa: TRY400
        return True

    async def _remember(self, told: Told) -> None:
        if told.record is None:
            await self._memory.delete(told.key)
            self._revisions.pop(told.key, None)
            return
        try:
            await self._write(told.key, told.record, self._revisions.get(told.key))
        except Conflict:
            await self._yield_to_other(told.key, told.record)

    async def _write(self, key: str, record: Record, revision: int | None) -> None:
        value = record.encoded()
        if revision is None:
            self._revisions[key] = await self._memory.create(key, value)
        else:
            self._revisions[key] = await self._memory.update(key, value, revision=revision)

    async def _yield_to_other(self, key: str, ours: Record) -> None:
        """Somebody else wrote: theirs holds if it is as new as ours, otherwise ours follows it."""
        entry = await self._memory.get(key)
        theirs = read_record(Record, entry.value) if entry else None
        if entry is None or theirs is None or theirs.order < ours.order:
            await self._write(key, ours, entry.revision if entry else None)
            return
        self._revisions[key] = entry.revision
        if entry.value != ours.encoded():
            log.warning("another poller told this already", key=key)
            self._on_takeover(key, entry.value)
