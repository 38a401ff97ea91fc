"""The regular rounds: hosts of one slot and interval are asked together, interval for interval.

Nobody is planned anew after each probe: a round is a list that comes up again. Those of its members that give no reason
for doubt go to the probe in one call; the others are asked one by one, or, in a burst, not at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from services.poller.core.judge import Phase
from services.poller.core.schedule import Round, TimeWheel, slot_of
from services.poller.measuring import Measurements
from services.poller.ports import Probe, SwiftAsker, SwiftProbe
from services.poller.watch import Watch
from shared.clock import Clock

ASKS_PER_TURN = 256  # what is sent within one turn: after a pause thousands are due, and nobody else may wait


class Rounds:
    """Every watched host in its round."""

    def __init__(self, probe: Probe | None, clock: Clock, ask: Callable[[Watch], None]) -> None:
        """`probe` asks those that give no reason for doubt, if it can ask many at once; `ask` asks one."""
        self._swift = probe if isinstance(probe, SwiftProbe) else None
        self._clock = clock
        self._ask = ask
        self._wheel: TimeWheel[Round[Watch]] = TimeWheel()
        self._rounds: dict[tuple[int, float], Round[Watch]] = {}
        self.asked_swiftly = 0

    def join(self, watch: Watch) -> float:
        """Ask this host in every interval until it is retired; when the round comes up next."""
        key = slot_of(watch.offset), watch.policy.interval_s
        now = self._clock.monotonic()
        found = self._rounds.get(key)
        if found is None:
            found = self._rounds[key] = Round(*key)
            self._wheel.add(found.next_at(now), found)
        found.members.append(watch)
        return found.next_at(now)

    def next_at(self) -> float | None:
        """When the next round is due; None: nobody is watched."""
        return self._wheel.next_at()

    async def go(self, measurements: Measurements) -> None:
        """Ask the members of all rounds that are due; others have their turn after every `ASKS_PER_TURN` of them."""
        asked = 0
        for each in self._wheel.due(self._clock.monotonic()):
            if not self._goes_on(each):
                continue
            gone: list[Watch] = []
            members = each.members
            for first in range(0, len(members), ASKS_PER_TURN):
                part = members[first : first + ASKS_PER_TURN]
                if asked + len(part) > ASKS_PER_TURN:
                    await asyncio.sleep(0)
                    asked = 0
                gone += self._ask_part(part, measurements.half)
                asked += len(part)
            if gone:
                each.members = [watch for watch in each.members if not watch.retired]

    def _goes_on(self, each: Round[Watch]) -> bool:
        """Let the round come up again, unless nobody is left in it."""
        if each.members:
            self._wheel.add(each.next_at(self._clock.monotonic()), each)
            return True
        self._rounds = {key: other for key, other in self._rounds.items() if other is not each}
        return False

    def _ask_part(self, part: list[Watch], half: int) -> list[Watch]:
        """Ask these; answers those that have retired."""
        swift, gone = [watch for watch in part if watch.swift == half], []
        if len(swift) < len(part):
            others = [watch for watch in part if watch.swift != half]
            gone = [watch for watch in others if watch.retired]
            swift += self._ask_singly(others, half)
        if swift and self._swift is not None:
            self._ask_together(self._swift, swift)
        return gone

    def _ask_together(self, probe: SwiftProbe, swift: list[Watch]) -> None:
        now = self._clock.monotonic()
        for watch in swift:
            watch.number += 1
            watch.asked_at = now
        self.asked_swiftly += len(swift)
        probe.ask_round(cast("list[SwiftAsker]", swift))

    def _ask_singly(self, part: list[Watch], half: int) -> list[Watch]:
        """Ask those whose regular round this is; answers who may go with the swift ones."""
        quick: list[Watch] = []
        for watch in part:
            phase = watch.state.phase
            if watch.retired:
                continue
            if self._swift is not None and phase is Phase.STEADY and watch.quicken(half):
                quick.append(watch)
            elif watch.postponed or phase is Phase.STEADY or phase is Phase.CONDEMNED:
                self._ask(watch)
        return quick
