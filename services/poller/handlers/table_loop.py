"""Follow something of a router until its connection ends: what every follower does when the router says no."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from shared.errors import Refused, Temporary, Unreachable
from shared.routeros import FeatureMissing, ValueRefused

AGAIN_S = 2.0  # after a table that could not be read now
AGAIN_AFTER_REFUSAL_S = 60.0

log = structlog.get_logger(__name__)


async def keep_following(
    once: Callable[[], Awaitable[None]], *, names: Mapping[str, str], simpler: Callable[[], bool] = lambda: False
) -> None:
    """Do `once` again and again. `simpler` runs when a value was refused: whether there is another way to ask."""
    while True:
        try:
            await once()
            await asyncio.sleep(AGAIN_S)  # the router itself ended the listen
        except FeatureMissing:
            return  # the package is not installed: there is nothing to follow, and nothing wrong
        except ValueRefused:
            await asyncio.sleep(0.0 if simpler() else AGAIN_AFTER_REFUSAL_S)
        except Unreachable:
            raise
        except Temporary as problem:
            log.warning("the table cannot be followed now", reason=str(problem), **names)
            await asyncio.sleep(AGAIN_S)
        except Refused as problem:
            log.warning("the router refuses the table", reason=str(problem), **names)
            await asyncio.sleep(AGAIN_AFTER_REFUSAL_S)
