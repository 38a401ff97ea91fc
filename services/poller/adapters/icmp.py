"""ICMP for both address families, as one probe."""

from __future__ import annotations

import asyncio
import socket

from services.poller.adapters.icmp_errors import Refusal
from services.poller.adapters.icmp_family import EchoFamily
from services.poller.adapters.icmp_flights import Tally
from services.poller.ports import Asker, SwiftAsker, Target
from shared.errors import NotAllowed


class IcmpProbe:
    """ICMP for both families. A family that is not to be had makes its hosts unknown, with the reason."""

    def __init__(self) -> None:
        self.refusals: dict[int, str] = {}
        self._families: dict[int, EchoFamily] = {}
        for version, family in ((4, socket.AF_INET), (6, socket.AF_INET6)):
            try:
                self._families[version] = EchoFamily(family)
            except NotAllowed as refused:
                self.refusals[version] = str(refused)

    @property
    def permitted(self) -> bool:
        """Whether ICMP works at all here."""
        return bool(self._families)

    @property
    def in_flight(self) -> int:
        """Probes whose result is open."""
        return sum(family.in_flight for family in self._families.values())

    def tally(self) -> Tally:
        """What was counted since the start, over both families."""
        return sum((family.tally for family in self._families.values()), Tally())

    def refusal(self, address: str) -> Refusal | None:
        """The last ICMP error about a request to this address, and who said it; None if there is none (any more)."""
        family = self._families.get(6 if ":" in address else 4)
        return family.refusals.get(address) if family else None

    def ask(self, target: Target, number: int, timeout_s: float, asker: Asker) -> None:
        """See `ports.Probe`."""
        version = 6 if ":" in target.address else 4
        family = self._families.get(version)
        if family is None:
            asyncio.get_running_loop().call_soon(asker.blind, number, self.refusals.get(version, "closed"))
            return
        family.ask(target, number, timeout_s, asker)

    def ask_round(self, askers: list[SwiftAsker]) -> None:
        """See `ports.SwiftProbe`."""
        for version, width in ((4, 4), (6, 16)):
            if not askers:
                return
            mine = askers
            if sum(map(len, [asker.destination for asker in askers])) != width * len(askers):
                mine = [asker for asker in askers if len(asker.destination) == width]
                askers = [asker for asker in askers if len(asker.destination) != width]
            else:
                askers = []
            if mine and (family := self._families.get(version)):
                family.ask_round(mine)

    def close(self) -> None:
        """Close the sockets."""
        for family in self._families.values():
            family.close()
        self._families.clear()
