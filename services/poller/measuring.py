"""Every ten seconds by the wall clock: what each host's probes measured goes out as samples and into its window.

Samples are told in messages of up to 500 hosts with pauses between them, so that a poller with many hosts goes on
asking while it reports. They may be lost. The alarm of a degraded connection is judged here from the same counts, and
is not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

from services.poller.core.connection import SLICE_S, Connection
from services.poller.core.degraded import DEFAULT_BOUNDS, NOTHING_TOLD, DegradedBounds, QualityFact, Standing
from services.poller.core.gauge import Slice, Turn
from services.poller.core.sentinels import Sentinels
from services.poller.core.slices import host_slices
from services.poller.watch import Watch
from shared.clock import Clock
from shared.contracts.ids import HostId
from shared.contracts.samples import HostSlices
from shared.contracts.vocabulary import HostState

TOGETHER = 500  # hosts per message: some 45 kB
_PAUSE_S = 0.05
_WITHIN_S = SLICE_S / 2  # all of a slice is told by then

Say = Callable[[HostSlices], Awaitable[None]]
OnQuality = Callable[[Watch, QualityFact | None], None]


@dataclass(frozen=True, slots=True)
class KnownQuality:
    """What is known of a host's connection from before: its standing and the medians of its last days."""

    standing: Standing = NOTHING_TOLD
    days: tuple[float, ...] = ()


async def _say_nothing(_: HostSlices) -> None:
    """Where nobody wants samples."""


@dataclass
class Measurements:
    """The connections of all watched hosts. `on_quality` hears what is to be told, or only remembered (None)."""

    clock: Clock
    instance: str = ""
    say: Say = _say_nothing
    on_quality: OnQuality = lambda _watch, _fact: None
    bounds: DegradedBounds = DEFAULT_BOUNDS
    remembered: MutableMapping[HostId, KnownQuality] = field(default_factory=dict)
    sentinels: Sentinels = field(default_factory=lambda: Sentinels(()))
    _turn: Turn = field(default_factory=Turn)
    _watches: dict[HostId, Watch] = field(default_factory=dict)

    def open(self, watch: Watch) -> None:
        """Measure this host's probes from now on. One that another poller tells of is its to report."""
        known = self.remembered.get(watch.host.id, KnownQuality())
        watch.connection = Connection(watch.host, watch.policy, self._turn, known.standing, known.days)
        if watch.tells:
            self._watches[watch.host.id] = watch

    def close(self, watch: Watch) -> None:
        """Measure it no longer; what is known is kept for when it is watched again."""
        if self._watches.get(watch.host.id) is watch:
            del self._watches[watch.host.id]
            self.remembered[watch.host.id] = known_of(watch.connection)

    def adopt(self, host_id: HostId, known: KnownQuality) -> None:
        """Another poller told this of a host: go on from there."""
        self.remembered[host_id] = known
        if (watch := self._watches.get(host_id)) is not None:
            self.open(watch)

    def warn(self, host_id: HostId, words: str) -> None:
        """Something that no window measures needs a person soon; no words: it is over. Hosts of others are left out."""
        watch = self._watches.get(host_id)
        if watch is None:
            return
        before = watch.connection.standing
        fact = watch.connection.warn(words, self.clock.now())
        if fact is not None or watch.connection.standing != before:
            self.on_quality(watch, fact)

    @property
    def half(self) -> int:
        """The half of every gauge that fills now."""
        return self._turn.base

    async def run(self) -> None:
        """Report until cancelled."""
        ended = self._slice_number()
        while True:
            await asyncio.sleep(max(0.0, (ended + 1) * SLICE_S - self.clock.now().timestamp()))
            number = self._slice_number()
            if number > ended:  # a sleep may end a little early
                await self.end_slice(ended * SLICE_S, number * SLICE_S)
                ended = number

    async def end_slice(self, begin: float, end: float) -> None:
        """Report the slice between these moments, in Unix seconds."""
        half, clear = self._turn.flip(), self._saw_all_the_while(end - begin)
        watches = list(self._watches.values())
        pause_s = min(_PAUSE_S, _WITHIN_S * TOGETHER / (len(watches) + 1))
        for first in range(0, len(watches), TOGETHER):
            if first:
                await asyncio.sleep(pause_s)
            rows = self._end(islice(watches, first, first + TOGETHER), half, begin, clear)
            if rows:
                at = datetime.fromtimestamp(end, UTC)
                await self.say(host_slices(self.instance, at, end - begin, rows))

    def _end(self, watches: islice[Watch], half: int, begin: float, clear: bool) -> Sequence[tuple[HostId, Slice]]:
        now, rows = self.clock.now(), []
        for watch in watches:
            if self._watches.get(watch.host.id) is not watch:
                continue  # watched otherwise meanwhile
            watch.slow_down()
            ended, fact, remember = watch.connection.end_slice(
                half,
                begin,
                now,
                up=clear and _was_up(watch, begin),
                hushed=watch.in_maintenance,
                bounds=self.bounds,
            )
            if ended is not None:
                rows.append((watch.host.id, ended))
            if fact is not None or remember:
                self.on_quality(watch, fact)
        return rows

    def _saw_all_the_while(self, slice_s: float) -> bool:
        """Whether our own way out worked; what was lost while it did not is no host's fault."""
        return not self.sentinels.blind and self.sentinels.sees_since <= self.clock.monotonic() - slice_s

    def _slice_number(self) -> int:
        return int(self.clock.now().timestamp() // SLICE_S)


def known_of(connection: Connection) -> KnownQuality:
    """What of a connection survives a restart."""
    return KnownQuality(connection.standing.remembered(), connection.usual.remembered())


def _was_up(watch: Watch, begin: float) -> bool:
    state = watch.state
    return state.hard is HostState.UP and (state.since is None or state.since.timestamp() <= begin)
