"""Tell facts: published first, remembered after, in order per key, and kept while the bus is away.

A crash between the two leaves the memory one step behind the stream. Whoever starts reads both and believes the stream
(`handlers.recall`), so nothing is told twice and nothing is forgotten. A fact of a part of the watch that is another
poller's by now is dropped: what the other saw is the truth.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace

import structlog

from services.poller.core.records import SESSIONS, Record, read_record
from services.poller.core.shards import Part
from services.poller.handlers.claims import Claim, Gate, OpenGate
from services.poller.handlers.courier import Courier, Outcome
from services.poller.handlers.waiting_facts import Journal, NoJournal, Told
from shared.bus.ports import Bucket, Bus
from shared.contracts.events import Event
from shared.errors import Conflict, RondaError, Temporary

# Keys whose facts are on their way side by side. Each costs two answers of the bus; on a machine so loaded that our
# loop sees an answer only a second later, this many still make a thousand facts a second.
_AT_ONCE = 2048
# Facts that may wait in all: a month's worth of a large far site, some 200 MB. Beyond it the key that has most to say
# loses the oldest pair of changes in its middle, so that its first and its last state survive.
MOST_WAITING = 200_000

log = structlog.get_logger(__name__)

Takeover = Callable[[str, bytes], None]
ClaimOf = Callable[[str], Claim | None]


class Teller:
    """The facts that wait to be told, and the revisions of what was remembered."""

    def __init__(
        self,
        bus: Bus,
        memory: Bucket,
        *,
        on_takeover: Takeover,
        gate: Gate | None = None,
        claim_of: ClaimOf = lambda _key: None,
        journal: Journal | None = None,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        """`on_takeover` hears of records that another poller wrote: they are the truth then.

        `gate` says when we may tell, `claim_of` in whose name the facts of a key are told (None: in nobody's).
        """
        self._bus = bus
        self._memory = memory
        self._on_takeover = on_takeover
        self._gate = gate or OpenGate()
        self._claim_of = claim_of
        self._journal = journal or NoJournal()
        self._most_waiting = most_waiting
        self._revisions: dict[str, int] = {}
        self._waiting: dict[str, deque[Told]] = {}
        self._count = 0
        self._courier = Courier(self._carry, at_once=_AT_ONCE)
        self._done_something = asyncio.Event()
        self._trouble = ""
        self.told_total = 0
        self.left_out_total = 0
        self.dropped_total = 0
        self.late_total = 0

    @property
    def waiting(self) -> int:
        """How many facts have not been told yet."""
        return self._count

    def knows(self, key: str, revision: int) -> None:
        """The memory held this revision of the key when it was read."""
        self._revisions[key] = revision

    def tell(self, key: str, event: Event | None, record: Record | None) -> None:
        """Queue a fact and what to remember after it (None: nothing is left to remember). Never waits."""
        self._queue(self._journal.saw(Told(key, event, record, self._claim_of(key))))

    def announce(self, key: str, event: Event) -> None:
        """Queue an event after which there is nothing to remember or to forget; `key` orders it among its like."""
        self._queue(Told(key, event, None, None, remembers=False))

    def again(self, told: Told) -> None:
        """Queue a fact that was seen in an earlier life of this poller and has not been told."""
        self._queue(told)

    def mark_late(self) -> int:
        """What waits now was seen while we were cut off: say so when it is told. Answers how many these are."""
        for queue in self._waiting.values():
            for number, told in enumerate(queue):
                if told.event is not None and not told.event.backfilled:
                    queue[number] = replace(told, event=told.event.model_copy(update={"backfilled": True}))
        return sum(told.event is not None for told in self._all_waiting())

    async def drained(self, parts: Collection[Part] | None = None) -> None:
        """Wait until nothing of these parts (None: nothing at all) waits."""
        while any(told.belongs_to(parts) for told in self._all_waiting()):
            self._done_something.clear()
            await self._done_something.wait()

    async def told_late(self) -> None:
        """Wait until nothing waits that is late."""
        while any(told.event is not None and told.event.backfilled for told in self._all_waiting()):
            self._done_something.clear()
            await self._done_something.wait()

    async def run(self) -> None:
        """Tell what waits until cancelled."""
        await self._courier.run()

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _all_waiting(self) -> Iterator[Told]:
        return (told for queue in self._waiting.values() for told in queue)

    def _queue(self, told: Told) -> None:
        queue = self._waiting.setdefault(told.key, deque())
        if told.event is None and len(queue) > 1 and queue[-1].event is None:
            self._journal.told(queue.pop())  # what is only to be remembered takes the place of what waits to be
            self._count -= 1
        queue.append(told)
        self._count += 1
        if self._count > self._most_waiting:
            self._leave_out()
        self._courier.more(told.key)

    def _leave_out(self) -> None:
        longest = max(self._waiting.values(), key=len)
        if len(longest) < 4:
            return
        for told in (longest[1], longest[2]):
            self._journal.told(told)
        del longest[1], longest[1]
        self._count -= 2
        self.left_out_total += 2

    async def _carry(self, key: str) -> Outcome:
        """Tell the oldest fact of a key, when we may tell."""
        await self._gate.open()
        queue = self._waiting.get(key)
        if not queue:
            return Outcome.EMPTY
        if not await self._say(queue[0]):
            return Outcome.AGAIN
        self._trouble = ""
        self._journal.told(queue.popleft())
        self._count -= 1
        self._done_something.set()
        if queue:
            return Outcome.MORE
        del self._waiting[key]
        return Outcome.EMPTY

    async def _say(self, told: Told) -> bool:
        """Publish and remember; False if it has to be tried again."""
        if not self._gate.valid:
            return False
        if told.claim is not None and not self._gate.stands(told.claim):
            self.dropped_total += 1
            log.info("a fact is left to the poller that has taken over", key=told.key)
            return True
        try:
            if told.event is not None:
                receipt = await self._bus.publish(told.event)
                self.told_total += 1
                self.late_total += told.event.backfilled
                say = log.debug if told.key.startswith(SESSIONS) else log.info  # hundreds a second; the stream has them
                say("told", fact=told.event.NAME, key=told.key, repeated=receipt.duplicate)
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
