"""Where a consumer's deliveries lie while they are handled: in order per subject, different subjects at once, bounded.

The transport puts deliveries on the bench as long as there is room; the bench answers each of them (acknowledged, given
back, dead-lettered) and writes one log line about it. It is the same for every transport.

Order survives failure: while a message waits for its next try, later messages of its subject that arrive are given back
as well, for as long. That costs no place on the bench, so one dead chat does not stop the others. What order cannot
survive: the connection breaking while messages are on their way, and several processes sharing one consumer. Whoever
must not go backwards even then compares the number that such messages carry (`transition`, `generation`, `sequence`).
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import structlog

from shared.bus.delivery import Delivery, Outcome, StoredMessage
from shared.bus.handling import FIRST_DELAY_S, Judge, Verdict, envelope_of
from shared.bus.ports import ConsumerSpec, Handler
from shared.clock import Clock
from shared.contracts.message import Message
from shared.errors import RondaError

log = structlog.get_logger("bus")

Bury = Callable[[StoredMessage, BaseException, int], Coroutine[Any, Any, None]]
"""Stores a dead letter: the message, the reason, the number of tries."""

_HELD_BACK_S = 0.05  # a held message comes this long after the one that it waits for
_RETURN_GRACE_S = 5.0  # if a message given back has not returned by then, it expired or another process has it
_REMEMBERED = 10_000


@dataclass(slots=True)
class _History:
    """What this process knows of a message that came more than once."""

    held: int = 0
    temporary: int = 0


@dataclass(slots=True)
class _Lane:
    """The deliveries of one subject. `away`: sequences given back, with the moment when we stop waiting for them."""

    waiting: list[tuple[int, Delivery]] = field(default_factory=list)
    away: dict[int, float] = field(default_factory=dict)
    due: float = 0.0  # when the first of those away is to be tried again
    task: asyncio.Task[None] | None = None


class Workbench:
    """Use as an async context manager; leaving it gives back whatever is still in hand."""

    def __init__(
        self,
        spec: ConsumerSpec,
        handlers: Mapping[type[Message], Sequence[Handler]],
        *,
        bury: Bury,
        clock: Clock,
        on_room: Callable[[], None] = lambda: None,
    ) -> None:
        self._spec = spec
        self._judge = Judge(handlers, max_tries=spec.max_deliver)
        self._bury = bury
        self._clock = clock
        self._lanes: dict[str, _Lane] = {}
        self._in_hand: dict[int, Delivery] = {}
        self._histories: dict[int, _History] = {}
        self._on_room = on_room
        self._pings: asyncio.Task[None] | None = None
        self._owner: asyncio.Task[Any] | None = None
        self._crash: BaseException | None = None

    @property
    def room(self) -> int:
        """How many more deliveries may be put here now."""
        return self._spec.max_in_flight - len(self._in_hand)

    async def __aenter__(self) -> Self:
        self._owner = asyncio.current_task()
        self._pings = self._start(self._ping_forever(), f"{self._spec.name} pings")
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        tasks = [lane.task for lane in self._lanes.values() if lane.task is not None]
        if self._pings is not None:
            tasks.append(self._pings)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for delivery in list(self._in_hand.values()):
            await self._answer(delivery, Verdict(Outcome.GIVEN_BACK))
        if self._crash is not None and self._owner is not None and self._owner.uncancel() == 0:
            raise self._crash

    def _start(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._on_end)
        return task

    def _on_end(self, task: asyncio.Task[None]) -> None:
        # Handlers' errors never come this far: this is a fault of the bench itself, and must not pass in silence.
        if task.cancelled() or task.exception() is None or self._crash is not None:
            return
        self._crash = task.exception()
        if self._owner is not None:
            self._owner.cancel()

    def put(self, delivery: Delivery) -> None:
        """Take a delivery on. One that is in hand already (its acknowledgement time ran out, or the server came back)
        takes the old one's place: the work goes on and answers the newer delivery."""
        sequence = delivery.message.sequence
        again = sequence in self._in_hand
        self._in_hand[sequence] = delivery
        if again:
            return
        key = delivery.message.subject if self._spec.ordered_by_subject else str(sequence)
        lane = self._lanes.setdefault(key, _Lane())
        heapq.heappush(lane.waiting, (sequence, delivery))
        if lane.task is None:
            lane.task = self._start(self._work(key, lane), f"{self._spec.name} {key}")

    async def _work(self, key: str, lane: _Lane) -> None:
        try:
            while lane.waiting:
                sequence, _ = heapq.heappop(lane.waiting)
                try:
                    await self._handle(lane, sequence)
                finally:
                    self._taken_off()
        finally:
            lane.task = None
            if not lane.away and not lane.waiting:
                self._lanes.pop(key, None)

    def _taken_off(self) -> None:
        if self.room * 2 >= self._spec.max_in_flight:
            self._on_room()

    async def _handle(self, lane: _Lane, sequence: int) -> None:
        lane.away.pop(sequence, None)
        started = self._clock.monotonic()
        if self._is_held(lane, sequence, started):
            verdict = Verdict(Outcome.HELD, delay_s=max(lane.due - started, 0.0) + _HELD_BACK_S)
        else:
            verdict = await self._judged(sequence)
        verdict = await self._settled(sequence, verdict)
        delivery = self._in_hand.pop(sequence)
        now = self._clock.monotonic()
        self._remember(lane, sequence, verdict, now)
        await self._answer(delivery, verdict, took_s=now - started)

    def _is_held(self, lane: _Lane, sequence: int, now: float) -> bool:
        if not self._spec.ordered_by_subject:
            return False
        lane.away = {other: until for other, until in lane.away.items() if until > now}
        if self._spec.stream.max_per_subject == 1:
            lane.away.clear()  # this one has replaced whatever was given back
        return any(other < sequence for other in lane.away)

    async def _judged(self, sequence: int) -> Verdict:
        delivery = self._in_hand[sequence]
        history = self._histories.get(sequence, _History())
        failures = delivery.delivered - 1 - history.held
        return await self._judge.verdict(
            delivery.message,
            envelope_of(delivery.message),
            failures=failures,
            bugs=failures - history.temporary,
        )

    async def _settled(self, sequence: int, verdict: Verdict) -> Verdict:
        """The verdict after the dead letter is safely stored; a message whose dead letter cannot be stored waits."""
        if verdict.outcome is not Outcome.DEAD or verdict.error is None:
            return verdict
        delivery = self._in_hand[sequence]
        try:
            await self._bury(delivery.message, verdict.error, delivery.delivered)
        except RondaError as error:
            return Verdict(Outcome.AGAIN, delay_s=FIRST_DELAY_S * 10, error=error)
        return verdict

    def _remember(self, lane: _Lane, sequence: int, verdict: Verdict, now: float) -> None:
        if verdict.outcome not in (Outcome.AGAIN, Outcome.HELD):
            self._histories.pop(sequence, None)
            return
        history = self._histories.setdefault(sequence, _History())
        if verdict.outcome is Outcome.HELD:
            history.held += 1
        elif isinstance(verdict.error, RondaError):
            history.temporary += 1
        if len(self._histories) > _REMEMBERED:
            self._histories.pop(next(iter(self._histories)))
        if self._spec.ordered_by_subject:
            due = now + verdict.delay_s
            if not lane.away or sequence < min(lane.away):
                lane.due = due
            lane.away[sequence] = due + _RETURN_GRACE_S

    async def _answer(self, delivery: Delivery, verdict: Verdict, *, took_s: float = 0.0) -> None:
        self._in_hand.pop(delivery.message.sequence, None)
        self._log(delivery, verdict, took_s)
        try:
            if verdict.outcome in (Outcome.DONE, Outcome.SKIPPED, Outcome.DEAD):
                await delivery.ack()
            else:
                await delivery.nak(verdict.delay_s)
        except RondaError as error:
            # The stream hands it out again when the acknowledgement time is over: at least once, as promised.
            log.warning("answer lost", consumer=self._spec.name, sequence=delivery.message.sequence, reason=str(error))

    def _log(self, delivery: Delivery, verdict: Verdict, took_s: float) -> None:
        envelope = envelope_of(delivery.message)
        fields: dict[str, Any] = {
            "message_type": envelope.type if envelope else None,
            "correlation_id": envelope.correlation_id if envelope else None,
            "consumer": self._spec.name,
            "outcome": verdict.outcome.value,
            "took_ms": round(took_s * 1000, 1),
            "delivered": delivery.delivered,
        }
        if verdict.error is not None:
            fields["error"] = getattr(verdict.error, "code", type(verdict.error).__name__)
        match verdict.outcome:
            case Outcome.DEAD:
                log.error("message handled", **fields)
            case Outcome.AGAIN:
                log.warning("message handled", retry_in_s=round(verdict.delay_s, 3), **fields)
            case Outcome.HELD | Outcome.SKIPPED:
                log.debug("message handled", **fields)
            case _:
                log.info("message handled", **fields)

    async def _ping_forever(self) -> None:
        while True:
            await asyncio.sleep(self._spec.ack_wait_s / 3)
            for delivery in list(self._in_hand.values()):
                try:
                    await delivery.in_progress()
                except RondaError:
                    break  # disconnected: the server hands everything out again anyway
