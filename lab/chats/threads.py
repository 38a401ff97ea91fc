"""What every phone shows: threads of bubbles, the same for Telegram and WhatsApp.

The stand-ins write here, the chat page and the tests read here. Each change gets the next number of one journal,
so that a reader who knows a number can ask for what came after it, and wait.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

KEPT_BUBBLES = 1000
"""Bubbles remembered per thread; a storm must not eat the machine."""

JOURNAL_LENGTH = 10_000


@dataclass(frozen=True)
class Button:
    """A button under a bubble. `kind`: callback, url, copy, reply and row (WhatsApp) or text (keyboard)."""

    text: str
    kind: str
    value: str
    row: int = 0
    style: str = ""


@dataclass(frozen=True)
class Bubble:
    """One message as the phone shows it.

    `markup` is telegram (entities with UTF-16 offsets) or whatsapp (`*bold*` inside the text).
    """

    id: str
    author: str
    mine: bool
    """Written by the person who holds the phone, not by the bot or another member."""
    text: str
    at: float
    markup: str
    seq: int = 0
    said_seq: int = 0
    """The number of the newest change of what it says; `seq` counts the ticks under it (delivered, read), too."""
    entities: tuple[dict[str, Any], ...] = ()
    buttons: tuple[Button, ...] = ()
    photo: str = ""
    file_name: str = ""
    header: str = ""
    footer: str = ""
    reply_to: str = ""
    topic: str = ""
    service: bool = False
    silent: bool = False
    edited_at: float = 0.0
    deleted: bool = False
    status: str = ""
    from_bot: bool = False
    toast: str = ""
    """What the bot answered to the last press of a button."""
    revisions: tuple[str, ...] = ()


@dataclass
class Thread:
    """One conversation. `kind`: private, group, supergroup or whatsapp."""

    id: str
    channel: str
    kind: str
    title: str
    subtitle: str = ""
    flags: dict[str, Any] = field(default_factory=dict)
    members: list[dict[str, Any]] = field(default_factory=list)
    bubbles: dict[str, Bubble] = field(default_factory=dict)
    seq: int = 0


class Threads:
    """All threads, the journal of their changes, and waiting for the next one."""

    def __init__(self) -> None:
        self._threads: dict[str, Thread] = {}
        self._journal: deque[tuple[int, str, str]] = deque(maxlen=JOURNAL_LENGTH)
        self._seq = 0
        self._tick = asyncio.Event()

    def __iter__(self) -> Iterator[Thread]:
        return iter(self._threads.values())

    @property
    def seq(self) -> int:
        """The number of the newest change."""
        return self._seq

    def get(self, thread_id: str) -> Thread | None:
        """The thread, or None."""
        return self._threads.get(thread_id)

    def open(self, thread: Thread) -> Thread:
        """Add a thread, or give back the one that has this id already."""
        known = self._threads.setdefault(thread.id, thread)
        if known is thread:
            self.touch(thread.id)
        return known

    def touch(self, thread_id: str) -> None:
        """Say that the thread itself changed (title, flags, members)."""
        thread = self._threads[thread_id]
        thread.seq = self._next(thread_id, "")

    def put(self, thread_id: str, bubble: Bubble) -> Bubble:
        """Add a bubble, or replace the one with the same id; gives it the next number."""
        thread = self._threads[thread_id]
        old, seq = thread.bubbles.get(bubble.id), self._next(thread_id, bubble.id)
        said_seq = old.said_seq if old is not None and _says(old) == _says(bubble) else seq
        bubble = replace(bubble, seq=seq, said_seq=said_seq)
        thread.bubbles[bubble.id] = bubble
        thread.seq = bubble.seq
        while len(thread.bubbles) > KEPT_BUBBLES:
            thread.bubbles.pop(next(iter(thread.bubbles)))
        return bubble

    def change(self, thread_id: str, bubble_id: str, **fields: Any) -> Bubble | None:
        """Change fields of a bubble that is there; a new text is added to its revisions."""
        thread = self._threads.get(thread_id)
        old = thread.bubbles.get(bubble_id) if thread else None
        if old is None:
            return None
        if "text" in fields and fields["text"] != old.text:
            fields["revisions"] = (*old.revisions, old.text)
        return self.put(thread_id, replace(old, **fields))

    def changes_after(self, seq: int) -> list[tuple[int, Thread, Bubble | None]]:
        """Newest state of all that changed after `seq`, each once; None says the thread itself."""
        found: dict[tuple[str, str], int] = {}
        for number, thread_id, bubble_id in reversed(self._journal):
            if number <= seq:
                break
            found.setdefault((thread_id, bubble_id), number)
        answer: list[tuple[int, Thread, Bubble | None]] = []
        for (thread_id, bubble_id), number in sorted(found.items(), key=lambda item: item[1]):
            thread = self._threads[thread_id]
            answer.append((number, thread, thread.bubbles.get(bubble_id)))
        return answer

    def bubbles_after(self, thread_id: str, seq: int) -> list[Bubble]:
        """Bubbles of one thread that are new or changed after `seq`, in the order of the change."""
        thread = self._threads[thread_id]
        return sorted((b for b in thread.bubbles.values() if b.seq > seq), key=lambda b: b.seq)

    async def wait_for(self, found: Callable[[], list[Any]], seconds: float) -> list[Any]:
        """Ask `found` now and after every change until it gives something or the time is over."""
        deadline = time.monotonic() + seconds
        while True:
            tick = self._tick
            answer = found()
            left = deadline - time.monotonic()
            if answer or left <= 0:
                return answer
            try:
                await asyncio.wait_for(tick.wait(), left)
            except TimeoutError:
                return found()

    async def next_change(self, after: int, seconds: float) -> bool:
        """Wait until there is a change after `after`; False when the time is over."""
        return bool(await self.wait_for(lambda: [True] if self._seq > after else [], seconds))

    def _next(self, thread_id: str, bubble_id: str) -> int:
        self._seq += 1
        self._journal.append((self._seq, thread_id, bubble_id))
        self._tick.set()
        self._tick = asyncio.Event()
        return self._seq


def _says(bubble: Bubble) -> Bubble:
    """The bubble without what only the channel says of it."""
    return replace(bubble, seq=0, said_seq=0, status="", toast="")
