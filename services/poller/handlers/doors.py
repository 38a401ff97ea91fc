"""The one session per router, for everybody in this process who wants to ask a router something."""

from __future__ import annotations

from shared.contracts.ids import RouterId
from shared.routeros import Session


class RouterDoors:
    """Implements `ports.RouterDoor`. Watchers open and close; whoever asks gets what is open, or None."""

    def __init__(self) -> None:
        self._open: dict[RouterId, Session] = {}

    def __len__(self) -> int:
        return len(self._open)

    def opened(self, router_id: RouterId, session: Session) -> None:
        """The router's API answers on this session."""
        self._open[router_id] = session

    def closed(self, router_id: RouterId) -> None:
        """The router cannot be asked any more; closing twice is harmless."""
        self._open.pop(router_id, None)

    def session(self, router_id: RouterId) -> Session | None:
        """The session to the router as of now."""
        session = self._open.get(router_id)
        return session if session is not None and session.is_open else None
