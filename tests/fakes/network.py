"""A network of hosts that answer, are cut, answer slowly, or cannot be asked."""

from __future__ import annotations

import asyncio
from collections import Counter

from services.poller.ports import Asker, Target
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
