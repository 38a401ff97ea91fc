"""Ask one sentinel without pause, and say when the last of them falls silent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from services.poller.core.sentinels import SENTINEL_INTERVAL_S, Sentinels
from services.poller.ports import Probe, Target
from shared.clock import Clock
from shared.contracts.vocabulary import ProbeFailure, ProbeKind

_SENTINEL_TIMEOUT_S = 1.0


class SentinelRound:
    """The asker of one sentinel's probes. It counts the newest answer only: an older one says less."""

    def __init__(
        self,
        address: str,
        sentinels: Sentinels,
        clock: Clock,
        *,
        on_blind: Callable[[float], None],
        on_sight: Callable[[], None],
    ) -> None:
        """`on_blind` gets the seconds since any sentinel answered."""
        self._address = address
        self._sentinels = sentinels
        self._clock = clock
        self._on_blind = on_blind
        self._on_sight = on_sight
        self._number = 0
        self._began_at = self._asked_at = clock.monotonic()

    async def run(self, probe: Probe) -> None:
        """Ask until cancelled."""
        target = Target(ProbeKind.ICMP, self._address)
        while True:
            self._number += 1
            self._asked_at = self._clock.monotonic()
            probe.ask(target, self._number, _SENTINEL_TIMEOUT_S, self)
            await asyncio.sleep(SENTINEL_INTERVAL_S)

    def answer(self, number: int, rtt_ms: float) -> None:
        """See `ports.Asker`."""
        asked_at = self._asked_at if number == self._number else self._clock.monotonic() - rtt_ms / 1000
        if self._sentinels.answered(self._address, asked_at):
            self._on_sight()

    def loss(self, number: int, age_s: float, failure: ProbeFailure) -> None:  # noqa: ARG002
        """See `ports.Asker`."""
        if self._sentinels.lost(self._address):
            self._on_blind(self._clock.monotonic() - max(self._sentinels.last_sight, self._began_at))

    def blind(self, number: int, reason: str) -> None:  # noqa: ARG002
        """See `ports.Asker`."""
        self.loss(number, 0.0, ProbeFailure.UNREACHABLE)
