"""Neighbours that a router discovers (MNDP, CDP, LLDP), and which of them it has never seen before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shared.routeros import Row, printable

COLUMNS = ("interface", "address", "address4", "mac-address", "identity", "version", "board", "platform")
MOST_KNOWN = 1000  # per router; beyond it the one that was not seen for the longest is forgotten
MOST_AT_ONCE = 4  # a replaced switch brings many: they are told a few per look, none is lost


@dataclass(frozen=True, slots=True)
class Neighbor:
    """A neighbour as a row shows it."""

    interface: str
    mac: str
    address: str | None
    identity: str
    board: str
    version: str


def read_neighbor(row: Row) -> Neighbor | None:
    """A row of `/ip/neighbor`; None without a MAC address. `interface` may be a list: the port, then its bridge."""
    mac = row.get("mac-address", "").upper()
    if len(mac.replace(":", "")) != 12:
        return None
    return Neighbor(
        interface=printable(row.get("interface", "")).partition(",")[0],
        mac=mac,
        address=row.get("address4") or row.get("address") or None,
        identity=printable(row.get("identity", "")),
        board=printable(row.get("board") or row.get("platform", "")),
        version=printable(row.get("version", "")),
    )


class NeighborBook:
    """Who was seen on one router. `known` None: nobody has looked yet, and the first look is no news."""

    def __init__(self, known: str | None, count: int = 0) -> None:
        self._learning = known is None
        self._macs: dict[str, None] = dict.fromkeys(_split(known or ""))
        self.count = count
        """How many were ever seen, for the order of what is remembered."""

    def look(self, neighbors: Iterable[Neighbor]) -> tuple[list[Neighbor], bool]:
        """Who is new, and whether there is something to remember."""
        new: list[Neighbor] = []
        learning, self._learning = self._learning, False
        before = self.count
        for neighbor in neighbors:
            mac = neighbor.mac.replace(":", "")
            if mac not in self._macs:
                if not learning and len(new) == MOST_AT_ONCE:
                    continue
                new += [] if learning else [neighbor]
                self.count += 1
            self._macs.pop(mac, None)
            self._macs[mac] = None
        while len(self._macs) > MOST_KNOWN:
            del self._macs[next(iter(self._macs))]
        return new, learning or self.count > before

    def remembered(self) -> str:
        """As it is kept, oldest first."""
        return "".join(self._macs)


def _split(macs: str) -> list[str]:
    return [macs[at : at + 12] for at in range(0, len(macs) - 11, 12)]
