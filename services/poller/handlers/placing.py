"""Keep what carries a router's sessions: five small tables, read at the start and from time to time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from services.poller.core.placing import (
    Places,
    hotspot_interfaces,
    only_interface,
    pool_ranges,
    ppp_interfaces,
    vlan_parents,
)
from services.poller.handlers.session_desk import SessionDesk
from shared.errors import Refused, Temporary, Unreachable
from shared.routeros import Row, Session

READ_EVERY_S = 600.0
_LINES_EVERY_S = 60.0  # who is on which interface changes with every login; asked only where there are several
_AFTER_CONNECTING_S = 0.5  # what is on line comes first

log = structlog.get_logger(__name__)


class PlacesFollower:
    """Reads where sessions are carried into their desk."""

    name = "places"

    def __init__(self, desk: SessionDesk) -> None:
        self._desk = desk

    async def follow(self, session: Session) -> None:
        """Read until the connection ends (Unreachable). What cannot be read is left as unknown."""
        await asyncio.sleep(_AFTER_CONNECTING_S)
        while True:
            self._desk.places = places = await self._read(session)
            wait_s = READ_EVERY_S if places.only_ppp_interface or not places.ppp_interfaces else _LINES_EVERY_S
            await asyncio.sleep(wait_s)

    async def _read(self, session: Session) -> Places:
        servers = await _rows(session, "/interface/pppoe-server/server", ("interface", "disabled"))
        only = only_interface(servers)
        lines: list[Row] = []
        if servers and only is None:
            lines = await _rows(session, "/interface/pppoe-server", ("user", "interface"))
        return Places(
            self._desk.router.name,
            hotspot_interfaces(await _rows(session, "/ip/hotspot", ("name", "interface"))),
            # Whoever has left is still known: their closing may not have been told.
            {**(self._desk.places.ppp_interfaces if lines else {}), **ppp_interfaces(lines)},
            only,
            vlan_parents(await _rows(session, "/interface/vlan", ("name", "interface"))),
            pool_ranges(await _rows(session, "/ip/pool", ("name", "ranges"))),
        )


async def _rows(session: Session, path: str, columns: Sequence[str]) -> list[Row]:
    try:
        return await session.print_rows(path, columns)
    except Unreachable:
        raise
    except (Refused, Temporary) as problem:
        log.debug("what carries sessions stays unknown", table=path, reason=str(problem))
        return []
