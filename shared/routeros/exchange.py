"""One command in progress: what was sent, what came back so far, who waits for it."""

from __future__ import annotations

import asyncio
from collections import deque

from shared.errors import Busy, RondaError
from shared.routeros.errors import Trap, refusal
from shared.routeros.reply import Reply, Row
from shared.routeros.wire import encode_sentence


class Exchange:
    """A command whose rows are collected until it is done."""

    def __init__(self, tag: str, command: str, words: tuple[str, ...] = ()) -> None:
        self.tag = tag
        self.command = command
        self.payload = encode_sentence((command, f".tag={tag}", *words))
        self.sent = False
        self.abandoned = False
        """Nobody waits any more; the router may still be answering."""
        self.holds_slot = False
        self.future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._rows: list[Row] = []
        self._traps: list[Trap] = []

    def row(self, row: Row) -> None:
        """Take one `!re`."""
        if not self.abandoned:
            self._rows.append(row)

    def trap(self, row: Row) -> None:
        """Take one `!trap`; the reply still ends with `!done`."""
        self._traps.append(Trap(row.get("message", ""), row.get("category")))

    def done(self, ret: str | None) -> None:
        """Take `!done`: the waiting coroutine goes on with a reply or with the router's refusal."""
        if self.future.done():
            return
        if self._traps:
            self.future.set_exception(refusal(self.command, self._traps))
        else:
            self.future.set_result(Reply(self._rows, ret))

    def fail(self, error: RondaError) -> None:
        """End without an answer."""
        if not self.future.done():
            self.future.set_exception(error)

    def give_up(self) -> None:
        """Whoever waited was cancelled: an answer that came in the same moment is nobody's business."""
        if not self.future.cancel() and not self.future.cancelled():
            self.future.exception()


class RowFeed(Exchange):
    """A command whose rows are handed out as they come: listen, monitor, ping."""

    def __init__(self, tag: str, command: str, words: tuple[str, ...], *, backlog: int) -> None:
        super().__init__(tag, command, words)
        self._ready: deque[Row] = deque()
        self._backlog = backlog
        self._wake = asyncio.Event()
        self.future.add_done_callback(self._ended)

    def row(self, row: Row) -> None:
        if self.abandoned or self.future.done():
            return
        if len(self._ready) >= self._backlog:
            # Dropping rows silently would be a lie: the reader must compare with the whole table again.
            self.fail(Busy(f"{self.command}: more than {self._backlog} rows wait to be read"))
            return
        self._ready.append(row)
        self._wake.set()

    async def next_row(self) -> Row | None:
        """The next row, or None when the router has ended the command. Raises what ended it otherwise."""
        while not self._ready:
            if self.future.done():
                self.future.result()
                return None
            self._wake.clear()
            await self._wake.wait()
        return self._ready.popleft()

    def _ended(self, future: asyncio.Future[Reply]) -> None:
        if not future.cancelled():
            future.exception()  # a feed nobody reads any more may fail quietly
        self._wake.set()
