"""What can go wrong with a router or the way to it, on demand."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.routers.router import VirtualRouter


class Spoil(Enum):
    """How the next reply is spoilt."""

    HALF = "half a sentence, then the end"
    GARBAGE = "bytes that are no sentence"


class Faults:
    """Switches of one router. `restore` ends `cut` and `hang`; the rest is set and cleared one by one."""

    def __init__(self, router: VirtualRouter) -> None:
        self._router = router
        self.hanging = False
        self.slow_paths: dict[str, float] = {}
        self.spoil_next: Spoil | None = None

    async def cut(self) -> None:
        """Reset all connections and refuse new ones."""
        await self._router.server.close(reset=True)

    def hang(self) -> None:
        """Accept and read, but answer nothing any more."""
        self.hanging = True

    async def restore(self) -> None:
        """Reachable and talking again, on the same port. Connections that hung are dropped."""
        if self.hanging:
            self.hanging = False
            self._router.server.drop_connections(reset=True)
        if not self._router.server.listening:
            await self._router.server.open()

    def half_sentence(self) -> None:
        """The next reply stops in the middle of a sentence and the connection ends."""
        self.spoil_next = Spoil.HALF

    def garbage(self) -> None:
        """The next reply is nonsense."""
        self.spoil_next = Spoil.GARBAGE

    def slow(self, path: str, seconds: float) -> None:
        """Printing this path takes `seconds` of the router's time; 0 ends it."""
        self.slow_paths[path] = seconds

    def change_password(self, user: str, password: str) -> None:
        """Somebody changed the password of an account."""
        menu = self._router.menu("/user")
        item = menu.named(user)
        if item is not None:
            menu.change(item, {"password": password})
