"""Trains: a few probes in quick succession, for the quality of a connection that is otherwise asked seldom.

They are no part of the round. A lost one is no reason for suspicion: of ten packets a radio link may lose one any
minute, and the rounds ask often enough to find an outage. One that is answered proves life like any answer. A train is
sent only to a host that is up and gives no reason for doubt, and ends where doubt begins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from services.poller.core.judge import Phase
from services.poller.core.schedule import TimeWheel, next_round
from services.poller.ports import Probe
from services.poller.watch import Watch
from shared.clock import Clock
from shared.contracts.inventory import ProbePolicy
from shared.contracts.vocabulary import HostState, ProbeFailure, ProbeKind

KINDS = frozenset({ProbeKind.ICMP})
"""What may be asked ten times in a second without being rude: no server sees a connection of it."""
_SLOT_S = 0.02
_LOOK_S = 0.5


class Train:
    """The trains of one host. It is the asker of their probes."""

    __slots__ = ("left", "watch")

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.left = 0

    def answer(self, number: int, rtt_ms: float) -> None:
        """See `ports.Asker`."""
        self.watch.answer(number, rtt_ms)

    def loss(self, number: int, _age_s: float, _failure: ProbeFailure) -> None:
        """See `ports.Asker`. Counted, not judged."""
        self.watch.connection.gauge.lost(number)

    def blind(self, number: int, _reason: str) -> None:
        """See `ports.Asker`. The round will say so, too."""
        self.watch.connection.gauge.not_asked(number)


class Trains:
    """When which host is asked for its quality alone."""

    def __init__(self, probes: Mapping[ProbeKind, Probe], clock: Clock) -> None:
        self._probes = probes
        self._clock = clock
        self._wheel: TimeWheel[Train] = TimeWheel(_SLOT_S)
        self.sent_total = 0

    def put(self, watch: Watch) -> None:
        """Send trains to this host until it is retired, if its policy wants them."""
        if watch.tells and watch.policy.train_size and watch.host.probe in KINDS:
            self._plan(Train(watch))

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            now = self._clock.monotonic()
            for train in self._wheel.due(now):
                self._go_on(train, now)
            at = self._wheel.next_at()
            await asyncio.sleep(_LOOK_S if at is None else min(_LOOK_S, max(0.0, at - self._clock.monotonic())))

    def _go_on(self, train: Train, now: float) -> None:
        watch = train.watch
        if watch.retired:
            return
        if train.left == 0:
            train.left = watch.policy.train_size
        if watch.target is None or not is_sound(watch):
            train.left = 0
            self._plan(train)
            return
        self._ask(watch, train)
        train.left -= 1
        if train.left:
            self._wheel.add(now + watch.policy.train_spacing_s, train)
        else:
            self._plan(train)

    def _ask(self, watch: Watch, train: Train) -> None:
        assert watch.target is not None  # noqa: S101 - looked at before
        watch.number += 1
        self.sent_total += 1
        watch.connection.gauge.asked(watch.number, counts=True)
        self._probes[watch.target.kind].ask(watch.target, watch.number, watch.timeout_s(), train)

    def _plan(self, train: Train) -> None:
        watch = train.watch
        # Another name than the round's: else the train of every host would begin together with its round.
        at = next_round(f"train {watch.host.id}", train_every_s(watch.policy), self._clock.monotonic())
        self._wheel.add(at, train)


def is_sound(watch: Watch) -> bool:
    """Up, and nothing to confirm."""
    return watch.state.hard is HostState.UP and watch.state.phase is Phase.STEADY


def train_every_s(policy: ProbePolicy) -> float:
    """Seconds from the begin of one train to the next; never less than a train takes."""
    return max(policy.train_every_s, policy.train_size * policy.train_spacing_s)
