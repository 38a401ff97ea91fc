"""Traffic of a router's interfaces, from their counters, at an interval."""

from __future__ import annotations

import asyncio

from services.poller.core.interfaces import SESSION_TYPES, read_port
from services.poller.core.rates import COLUMNS, Counters, Rates, rates, read_counters
from services.poller.handlers.followers.post import Post
from services.poller.handlers.followers.security import SecurityDesk
from shared.contracts.samples import Reading
from shared.routeros import Row, Session, one_of

_NOT_OF_SUBSCRIBERS = ~one_of("type", *SESSION_TYPES)
_MOST_INTERFACES = 256  # a concentrator of VLANs: the first ones; a sample stays far below the bus' megabyte


class TrafficLook:
    """One question for all interfaces that are not a subscriber's."""

    name = "traffic"

    def __init__(self, post: Post, security: SecurityDesk) -> None:
        """`security` compares each interface's rates with its own normal."""
        self._post = post
        self._security = security
        self._before: dict[str, Counters] = {}

    @property
    def every_s(self) -> float:
        return self._post.pace.interval_s

    def begin(self) -> None:
        """Counters go on over a short break; rates over a long one are left out by their age."""

    async def look(self, session: Session) -> None:
        """Read all counters and publish the rates since the reading before."""
        clock = asyncio.get_running_loop().time
        asked_s = clock()
        rows = await session.print_rows("/interface", COLUMNS, _NOT_OF_SUBSCRIBERS)
        at_s = (asked_s + clock()) / 2
        now = {
            name: counters
            for name, row in _running(rows)[:_MOST_INTERFACES]
            if (counters := read_counters(row, at_s)) is not None
        }
        before, self._before = self._before, now
        readings: list[Reading] = []
        for name, counters in now.items():
            found = rates(before[name], counters, longest_s=3 * self.every_s) if name in before else None
            if found is not None:
                readings += _readings(name, found)
                self._security.traffic(name, found)
        await self._post.measured(readings)


def _running(rows: list[Row]) -> list[tuple[str, Row]]:
    ports = ((read_port(row), row) for row in rows)
    return [(port.name, row) for port, row in ports if port is not None and port.running]


def _readings(name: str, found: Rates) -> list[Reading]:
    shown = {
        "rx_bps": found.rx_bps,
        "tx_bps": found.tx_bps,
        "rx_pps": found.rx_pps,
        "tx_pps": found.tx_pps,
        "error_pps": found.error_pps,
        "drop_pps": found.drop_pps,
    }
    return [Reading(metric=metric, part=name, value=round(value, 2)) for metric, value in shown.items()]
