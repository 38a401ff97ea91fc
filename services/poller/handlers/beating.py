"""Say regularly that we look, and find out who else does."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from services.poller.core.records import poller_key
from services.poller.handlers.facts import Herald
from services.poller.handlers.witnesses import PollerWitness
from shared.bus.ports import Bucket
from shared.errors import Temporary

BEAT_S = 10.0  # how exactly a successor knows when we last looked


async def beat(bucket: Bucket, *, instance: str, herald: Herald, others: PollerWitness) -> None:
    """Remember that we see, until cancelled. Lost while the bus is away: then nobody reads it either."""
    while True:
        with suppress(Temporary):
            if record := herald.seeing():
                await bucket.put(poller_key(instance), record.encoded())
            await others.look_round(bucket)
        await asyncio.sleep(BEAT_S)
