"""User Manager as a NAS sees it: accounting of sessions. `user_manager6` and `user_manager7` are the two lines.

The lines share nothing but the purpose: on 7 a profile is assigned by a row of user-profile, on 6.49 by a
command, and names, fields and units differ.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.routers.durations import parse_duration, whole_duration

if TYPE_CHECKING:
    from lab.routers.menu import Item
    from lab.routers.router import VirtualRouter


@dataclass(frozen=True)
class Nas:
    """Who lets subscribers in and accounts for them, as it calls itself."""

    address: str = "127.0.0.1"
    name: str = ""
    port_type: str = "ethernet"


OWN = Nas()
"""The router itself."""


def install(router: VirtualRouter) -> UserManager | None:
    """On the menus of the version; None if the package is not there."""
    from lab.routers.behaviour.user_manager6 import UserManager6
    from lab.routers.behaviour.user_manager7 import UserManager7

    if "/user-manager/user" in router.menus:
        return UserManager7(router)
    if "/tool/user-manager/user" in router.menus:
        return UserManager6(router)
    return None


class UserManager(ABC):
    """What a NAS does with either line."""

    sessions_path = ""
    user_path = ""

    def __init__(self, router: VirtualRouter) -> None:
        self.router = router
        self.sessions = router.menu(self.sessions_path)
        self.users = router.menu(self.user_path)
        self._numbers = itertools.count(0x80000000)
        self.sessions.views.append(self._session_live)

    @abstractmethod
    def open_session(self, user: str, mac: str, ip: str, nas: Nas = OWN) -> Item:
        """A NAS reports a session started. Raises LoginRefused if the user may not."""

    @abstractmethod
    def close_session(self, session: Item, cause: str) -> None:
        """A NAS reports it ended."""

    def session_s(self, item: Item) -> float:
        """Seconds of a session."""
        given = parse_duration(item.get("uptime"))
        return given if given is not None else self.router.clock.now() - item.since

    def _session_live(self, item: Item) -> Mapping[str, str | None]:
        if item.get("active") != "true":
            return {}
        return {"uptime": whole_duration(self.session_s(item)), **_traffic(item, self.router.clock.now())}

    def _ended(self, item: Item) -> dict[str, str | None]:
        seconds = whole_duration(self.session_s(item))
        return {"active": "false", "uptime": seconds, **_traffic(item, self.router.clock.now())}

    def sessions_of(self, name: str) -> list[Item]:
        """The records of a user, running and ended."""
        return [item for item in self.sessions if item.get("user") == name]


def _traffic(item: Item, now: float) -> dict[str, str | None]:
    if item.meter is None:
        return {}
    return {"upload": str(item.meter.rx(now)), "download": str(item.meter.tx(now))}
