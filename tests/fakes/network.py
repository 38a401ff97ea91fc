"""A network of hosts that answer, are cut, answer slowly, or cannot be asked."""

from __future__ import annotations

import asyncio
from collections import Counter

from services.poller.core.timeout import SHORTEST_S
from services.poller.ports import NOT_SWIFT, SETTLE_AFTER, Asker, SwiftAsker, Target
from shared.contracts.vocabulary import ProbeFailure
from shared.errors import NotFound, Unreachable


class FakeNetwork:
    """A probe. Every address answers after its round-trip time unless it is cut."""

    def __init__(self) -> None:
        self.cut: set[str] = set()
        self.no_way_out = False
        self.rtt_s: dict[str, float] = {}
        self.asked: Counter[str] = Counter()
        self.asked_at: list[tuple[float, str]] = []

    def ask(self, target: Target, number: int, timeout_s: float, asker: Asker) -> None:
        loop = asyncio.get_running_loop()
        self.asked[target.address] += 1
        self.asked_at.append((loop.time(), target.address))
        rtt_s = self.rtt_s.get(target.address, 0.002)
        if self.no_way_out:
            loop.call_soon(asker.blind, number, "cannot send: Network is unreachable")
        elif target.address in self.cut:
            loop.call_later(timeout_s, asker.loss, number, timeout_s, ProbeFailure.TIMEOUT)
        elif rtt_s > timeout_s:
            loop.call_later(timeout_s, asker.loss, number, timeout_s, ProbeFailure.TIMEOUT)
            loop.call_later(rtt_s, asker.answer, number, rtt_s * 1000)
        else:
            loop.call_later(rtt_s, asker.answer, number, rtt_s * 1000)


class SwiftNetwork(FakeNetwork):
    """The same network for a probe that can ask many at once."""

    PATIENCE_S = SHORTEST_S

    def __init__(self) -> None:
        super().__init__()
        self.asked_swiftly: Counter[str] = Counter()

    def ask_round(self, askers: list[SwiftAsker]) -> None:
        loop = asyncio.get_running_loop()
        for asker in askers:
            assert asker.target is not None
            number, address = asker.number, asker.target.address
            rtt_s = self.rtt_s.get(address, 0.002)
            if self.no_way_out:
                self.ask(asker.target, number, asker.recall(number), asker)
                continue
            self.asked[address] += 1
            self.asked_swiftly[address] += 1
            self.asked_at.append((loop.time(), address))
            if address in self.cut:
                loop.call_later(self.PATIENCE_S, self._overdue, asker, number, None)
            elif rtt_s > self.PATIENCE_S:
                loop.call_later(self.PATIENCE_S, self._overdue, asker, number, rtt_s)
            else:
                loop.call_later(rtt_s, self._back, asker, number, rtt_s * 1000)

    def _back(self, asker: SwiftAsker, number: int, rtt_ms: float) -> None:
        if asker.swift == NOT_SWIFT:
            asker.recall(number)
            asker.answer(number, rtt_ms)
            return
        asker.fresh.append(rtt_ms)
        asker.heard_number, asker.heard_at = number, asyncio.get_running_loop().time()
        if len(asker.fresh) >= SETTLE_AFTER:
            asker.settle()

    def _overdue(self, asker: SwiftAsker, number: int, rtt_s: float | None) -> None:
        loop = asyncio.get_running_loop()
        timeout_s = asker.recall(number)
        if rtt_s is None or rtt_s > timeout_s:
            wait_s = max(0.0, timeout_s - self.PATIENCE_S)
            loop.call_later(wait_s, asker.loss, number, timeout_s, ProbeFailure.TIMEOUT)
        if rtt_s is not None:
            loop.call_later(rtt_s - self.PATIENCE_S, asker.answer, number, rtt_s * 1000)


class FakeResolver:
    """Names from a table; None: the name server is silent."""

    def __init__(self, names: dict[str, str | None] | None = None) -> None:
        self.names = names or {}

    async def resolve(self, name: str) -> str:
        if name[0].isdigit():
            return name
        if name not in self.names:
            raise NotFound(f"there is no host called {name}")
        number = self.names[name]
        if number is None:
            raise Unreachable(f"the name {name} cannot be looked up now")
        return number
