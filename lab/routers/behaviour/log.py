"""/log: a buffer of the last lines, and the verbs that write one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from lab.routers.durations import format_log_time

if TYPE_CHECKING:
    from lab.routers.calls import Call
    from lab.routers.menu import Item
    from lab.routers.router import VirtualRouter

BUFFER_LINES = 1000


class LogBuffer:
    """The memory log of one router."""

    def __init__(self, router: VirtualRouter) -> None:
        self._router = router
        self._menu = router.menu("/log")
        self._menu.views.append(self._live)
        for verb in ("info", "warning", "error", "debug"):
            router.command("/log", verb, self._write_line)

    def write(self, topics: str, message: str) -> None:
        """Append a line; the oldest leaves when the buffer is full (without a word to listeners)."""
        when = self._router.local_time()
        self._menu.put({"time": when.isoformat(), "topics": topics, "message": message, "buffer": "memory"})
        while len(self._menu.items) > BUFFER_LINES:
            del self._menu.items[next(iter(self._menu.items))]

    def clear(self) -> None:
        """The buffer lives in memory: a restart empties it."""
        self._menu.items.clear()

    def _live(self, item: Item) -> Mapping[str, str | None]:
        when = datetime.fromisoformat(item["time"])
        now = self._router.local_time()
        return {"time": format_log_time(when, now, iso=self._router.personality.iso_dates)}

    def _write_line(self, call: Call) -> None:
        message = call.take("message") or ""
        call.refuse_rest()
        self.write(f"script,{call.verb}", message)
        call.done()
