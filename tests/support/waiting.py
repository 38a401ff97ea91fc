"""Wait for a condition instead of for a time."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
_LOOK_EVERY_S = 0.01


async def until(condition: Callable[[], T | Awaitable[T]], within_s: float = 20.0) -> T:
    """Look until `condition` answers something true and return that; raises TimeoutError saying what it waited for."""
    last: object = None
    try:
        async with asyncio.timeout(within_s):
            while True:
                found = condition()
                last = await found if inspect.isawaitable(found) else found
                if last:
                    return last  # type: ignore[return-value]
                await asyncio.sleep(_LOOK_EVERY_S)
    except TimeoutError:
        what = inspect.getsource(condition).strip() if inspect.isfunction(condition) else repr(condition)
        raise TimeoutError(f"not within {within_s} s: {what} (last: {last!r})") from None
