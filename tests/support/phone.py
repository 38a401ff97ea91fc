"""A person's phone in the lab: what it shows of one chat, and writing in it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import httpx

Bubble = dict[str, Any]
"""A message as the phone shows it: `id`, `text`, `seq`, `reply_to`, `revisions`, `buttons`, …"""

_NO_CHAT_YET = 409
_ASK_AGAIN_S = 0.05
_LONGEST_WAIT_S = 5


@dataclass(frozen=True, slots=True)
class Phone:
    """One chat; `chat` is `tg:<chat id>` or `wa:<number>`."""

    lab: httpx.AsyncClient
    chat: str

    async def now(self) -> int:
        """The journal's number, for `after`."""
        return int((await self.lab.get("/lab/api/chats")).raise_for_status().json()["seq"])

    async def say(self, text: str, *, person: str = "") -> None:
        """Write in the chat."""
        answer = await self.lab.post(f"/lab/api/chats/{self.chat}/messages", json={"text": text, "as": person})
        answer.raise_for_status()

    async def messages(self, *, after: int = 0, wait_s: float = 0) -> list[Bubble]:
        """The bot's messages that are new or changed after a journal number, oldest change first."""
        query: dict[str, str | float] = {"after": after, "wait": wait_s, "from": "bot"}
        answer = await self.lab.get(f"/lab/api/chats/{self.chat}/messages", params=query)
        if answer.status_code == _NO_CHAT_YET:  # a subscriber whom nobody ever wrote to
            await asyncio.sleep(min(wait_s, _ASK_AGAIN_S))
            return []
        return [_plain(bubble) for bubble in answer.raise_for_status().json()["messages"]]

    async def message(self, *words: str, after: int, within_s: float = 20, reply_to: str | None = None) -> Bubble:
        """Wait for a message with all these words; with `reply_to` only for an answer to that message. One of before
        that is only delivered or read now is no new one.

        Raises AssertionError with everything that came instead.
        """
        seen, deadline = after, time.monotonic() + within_s
        while (left := deadline - time.monotonic()) > 0:
            for bubble in await self.messages(after=seen, wait_s=min(left, _LONGEST_WAIT_S)):
                seen = max(seen, bubble["seq"])
                answers = reply_to is None or bubble["reply_to"] == reply_to
                if answers and bubble["said_seq"] > after and all(word in bubble["text"] for word in words):
                    return bubble
        came = "\n---\n".join(bubble["text"] for bubble in await self.messages(after=after)) or "nothing"
        raise AssertionError(f"{self.chat} got no message with {words} within {within_s} s; it got:\n{came}")


def _plain(bubble: Bubble) -> Bubble:
    """As it reads: WhatsApp's marks are part of its text, Telegram's are not."""
    if bubble["markup"] != "whatsapp":
        return bubble
    return {**bubble, "text": bubble["text"].replace("```", "").replace("*", "")}
