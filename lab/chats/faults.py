"""Faults that a person or a test orders: the next calls of a chat server fail as the real one fails."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

KINDS = ("retry_after", "bad_gateway", "server_error", "hang", "cut", "away", "unauthorized", "code")

BAD_GATEWAY_PAGE = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    "<center><h1>502 Bad Gateway</h1></center>\r\n"
    "<hr><center>nginx/1.18.0</center>\r\n</body>\r\n</html>\r\n"
)


@dataclass
class Fault:
    """One ordered fault. `times` 0 means until it is cleared; `method` and `chat` narrow it when given."""

    kind: str
    times: int = 1
    method: str = ""
    chat: str = ""
    seconds: float = 5.0
    """retry_after: what the answer asks for; hang: how long the call is held."""
    code: int = 0
    """kind code: the WhatsApp error code to answer with."""

    def fits(self, method: str, chat: str) -> bool:
        """Whether this fault is meant for this call."""
        return (not self.method or self.method.lower() == method.lower()) and (not self.chat or self.chat == chat)


@dataclass
class Faults:
    """The faults that wait for their call."""

    waiting: list[Fault] = field(default_factory=list)
    hits: int = 0

    def order(self, fault: Fault) -> None:
        """Put a fault in the queue; raises ValueError for an unknown kind."""
        if fault.kind not in KINDS:
            raise ValueError(f"unknown fault {fault.kind!r}: one of {', '.join(KINDS)}")
        self.waiting.append(fault)

    def clear(self, kind: str = "") -> None:
        """Forget all faults, or those of one kind."""
        self.waiting = [f for f in self.waiting if kind and f.kind != kind]

    def take(self, method: str, chat: str) -> Fault | None:
        """The fault that hits this call, if any."""
        for fault in self.waiting:
            if fault.fits(method, chat):
                self.hits += 1
                if fault.times:
                    fault.times -= 1
                    if not fault.times:
                        self.waiting.remove(fault)
                return fault
        return None

    def as_json(self) -> list[dict[str, Any]]:
        """The waiting faults for the control page."""
        return [
            {"kind": f.kind, "times": f.times, "method": f.method, "chat": f.chat, "seconds": f.seconds}
            for f in self.waiting
        ]


async def hold_or_cut(fault: Fault, request: web.Request) -> web.StreamResponse | None:
    """Act on the faults that every HTTP server can have; None when the caller must word the answer."""
    if fault.kind == "bad_gateway":
        return web.Response(status=502, text=BAD_GATEWAY_PAGE, content_type="text/html")
    if fault.kind == "hang":
        await asyncio.sleep(fault.seconds)
    if fault.kind in {"hang", "cut", "away"}:
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)
    return None
