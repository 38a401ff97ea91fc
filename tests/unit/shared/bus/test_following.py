"""A copy of a bucket, through changes and an outage."""

import asyncio
from functools import partial

from shared.bus.following import follow
from shared.bus.memory import MemoryBus
from shared.contracts.streams import INVENTORY_BUCKET
from shared.errors import Unreachable
from tests.support.waiting import until


class Copy:
    def __init__(self):
        self.entries, self.whole = {}, 0

    def keys(self):
        return self.entries.keys()

    async def put(self, key, value):
        self.entries[key] = value

    async def remove(self, key):
        self.entries.pop(key, None)

    async def caught_up(self):
        self.whole += 1


async def test_the_copy_follows_every_change_below_its_prefix():
    bus, copy = MemoryBus(source="test"), Copy()
    bucket = await bus.bucket(INVENTORY_BUCKET)
    await bucket.put("router.a", b"1")
    await bucket.put("site.x", b"1")
    following = asyncio.create_task(follow(partial(bus.bucket, INVENTORY_BUCKET), copy, "router."))
    await until(lambda: copy.whole == 1)
    assert copy.entries == {"router.a": b"1"}
    await bucket.put("router.b", b"2")
    await bucket.delete("router.a")
    await until(lambda: copy.entries == {"router.b": b"2"})
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


async def test_what_went_while_nobody_watched_goes_when_the_watch_is_back(monkeypatch):
    monkeypatch.setattr("shared.bus.following.PAUSE_S", 0)
    bus, copy = MemoryBus(source="test"), Copy()
    copy.entries = {"router.gone": b"1"}
    tries = iter([Unreachable("the bus is away"), None])

    async def open_bucket():
        if problem := next(tries, None):
            raise problem
        return await bus.bucket(INVENTORY_BUCKET)

    following = asyncio.create_task(follow(open_bucket, copy))
    await until(lambda: copy.whole)
    assert copy.entries == {}
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
