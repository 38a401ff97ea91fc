"""Tell transitions: published first, saved after, in order per host, and kept while the bus is away."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from services.poller.core.judge import State
from services.poller.core.wording import told_state
from services.poller.ports import HostStates, Remembered
from shared.bus.ports import Bus
from shared.contracts.events import HostDown, HostTransition, HostUnknown, HostUp
from shared.contracts.ids import HostId
from shared.contracts.streams import EVENTS
from shared.errors import Conflict, RondaError, Temporary

_AT_ONCE = 64  # hosts whose facts are published side by side
_KEPT_PER_HOST = 8  # facts that may wait per host; beyond it the oldest pair of changes in the middle is left out
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 2.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Told:
    """A transition on its way: the event, and the state that it leads to."""

    event: HostTransition
    state: State


class HostTeller:
    """The facts that wait to be told, and the revisions of the states that were."""

    def __init__(self, bus: Bus, states: HostStates, *, on_takeover: Callable[[HostId, State], None]) -> None:
        """`on_takeover` hears of states that another poller wrote: they are the truth then."""
        self._bus = bus
        self._states = states
        self._on_takeover = on_takeover
        self._revisions: dict[HostId, int] = {}
        self._waiting: OrderedDict[HostId, deque[Told]] = OrderedDict()
        self._more = asyncio.Event()
        self.told_total = 0
        self.left_out_total = 0

    @property
    def waiting(self) -> int:
        """How many facts have not been told yet."""
        return sum(len(queue) for queue in self._waiting.values())

    async def recall(self) -> dict[HostId, State]:
        """The hard states to start from: what was saved, or what was told after it was saved last.

        A crash between telling and saving leaves the bucket one transition behind the stream; the stream is right,
        since everybody has read it.
        """
        remembered = await self._states.load()
        self._revisions = {host_id: entry.revision for host_id, entry in remembered.items()}
        states = {host_id: entry.state for host_id, entry in remembered.items()}
        filters = (HostDown.filter(), HostUp.filter(), HostUnknown.filter())
        async for received in self._bus.read(EVENTS, *filters, last_per_subject=True, follow=False):
            if received is None:
                break
            event = received.message
            if isinstance(event, HostTransition):
                known = states.get(event.host_id, State())
                if event.transition > known.transition:
                    states[event.host_id] = told_state(event, known)
        return states

    def tell(self, event: HostTransition, state: State) -> None:
        """Queue a fact. Never waits."""
        queue = self._waiting.setdefault(event.host_id, deque())
        queue.append(Told(event, state))
        if len(queue) > _KEPT_PER_HOST:
            del queue[1], queue[1]
            self.left_out_total += 2
        self._more.set()

    async def forget(self, host_id: HostId) -> None:
        """The host is gone for good."""
        self._revisions.pop(host_id, None)
        self._waiting.pop(host_id, None)
        await self._states.forget(host_id)

    async def run(self) -> None:
        """Publish what waits until cancelled."""
        pause_s = _FIRST_PAUSE_S
        while True:
            if not self._waiting:
                self._more.clear()
                await self._more.wait()
            batch = [queue[0] for queue, _ in zip(self._waiting.values(), range(_AT_ONCE), strict=False)]
            said = await asyncio.gather(*(self._say(told) for told in batch))
            for told, done in zip(batch, said, strict=True):
                if done:
                    self._done(told)
            if all(said):
                pause_s = _FIRST_PAUSE_S
            else:
                await asyncio.sleep(pause_s)
                pause_s = min(_LONGEST_PAUSE_S, pause_s * 2)

    def _done(self, told: Told) -> None:
        host_id = told.event.host_id
        queue = self._waiting.get(host_id)
        if not queue or queue[0] is not told:
            return
        queue.popleft()
        if queue:
            self._waiting.move_to_end(host_id)
        else:
            del self._waiting[host_id]

    async def _say(self, told: Told) -> bool:
        """Publish and save; False if it has to be tried again."""
        event = told.event
        try:
            receipt = await self._bus.publish(event)
            await self._save(event.host_id, told.state)
        except Temporary as problem:
            log.warning("a fact waits", host=event.host_id, fact=event.NAME, reason=str(problem))
            return False
        except RondaError as problem:
            log.error("a fact could not be told", host=event.host_id, fact=event.NAME, reason=str(problem))  # noqa: TRY400
            return True
        self.told_total += 1
        log.info("told", fact=event.NAME, host=event.host_id, name=event.host_name, repeated=receipt.duplicate)
        return True

    async def _save(self, host_id: HostId, state: State) -> None:
        try:
            revision = await self._states.save(host_id, state, revision=self._revisions.get(host_id))
        except Conflict:
            await self._yield_to(host_id, state)
        else:
            self._revisions[host_id] = revision

    async def _yield_to(self, host_id: HostId, ours: State) -> None:
        """Somebody else wrote: theirs holds if it is as new as ours, otherwise ours follows it."""
        theirs: Remembered | None = await self._states.get(host_id)
        if theirs is not None and theirs.state.transition >= ours.transition:
            self._revisions[host_id] = theirs.revision
            if theirs.state.hard is not ours.hard or theirs.state.transition > ours.transition:
                log.warning("another poller told this host's state", host=host_id, state=theirs.state.hard)
                self._on_takeover(host_id, theirs.state)
            return
        revision = theirs.revision if theirs else None
        self._revisions[host_id] = await self._states.save(host_id, ours, revision=revision)
