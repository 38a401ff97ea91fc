"""Whether a service that was just started can be used: asked many times a second, so it must cost next to nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

_TIMEOUT_S = 2.0
_REQUEST = b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"


def answers_ready(port: int) -> Callable[[], Awaitable[bool]]:
    """A check that asks `/readyz` of 127.0.0.1: True once it says 200."""

    async def ready() -> bool:
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                return await _status(port) == b"200"
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return False

    return ready


async def _status(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(_REQUEST)
        return (await reader.readuntil(b"\r\n")).split()[1]
    finally:
        writer.close()
