"""Key-value buckets with compare-and-set."""

from __future__ import annotations

import asyncio

import pytest

from shared.bus.ports import Entry, Gone
from shared.errors import (
    Conflict,
    Invalid,
)
from tests.cases.bus_cases.scenery import (
    PATIENCE_S,
    PLAIN_BUCKET,
    SHORT_BUCKET,
)


class BucketCases:
    async def test_put_get_and_absent(self, bus):
        bucket = await bus.bucket(PLAIN_BUCKET)
        assert await bucket.get("a") is None
        revision = await bucket.put("a", b"1")
        assert await bucket.get("a") == Entry("a", b"1", revision)
        assert await bucket.put("a", b"2") > revision

    async def test_create_only_if_absent(self, bus):
        bucket = await bus.bucket(PLAIN_BUCKET)
        await bucket.create("a", b"1")
        with pytest.raises(Conflict):
            await bucket.create("a", b"2")
        await bucket.delete("a")
        await bucket.create("a", b"3")
        assert (await bucket.get("a")).value == b"3"

    async def test_update_compares_the_revision(self, bus):
        bucket = await bus.bucket(PLAIN_BUCKET)
        first = await bucket.create("a", b"1")
        second = await bucket.update("a", b"2", revision=first)
        with pytest.raises(Conflict):
            await bucket.update("a", b"3", revision=first)
        assert await bucket.get("a") == Entry("a", b"2", second)

    async def test_delete_compares_the_revision_if_told(self, bus):
        bucket = await bus.bucket(PLAIN_BUCKET)
        first = await bucket.put("a", b"1")
        second = await bucket.put("a", b"2")
        with pytest.raises(Conflict):
            await bucket.delete("a", revision=first)
        assert await bucket.get("a") is not None
        await bucket.delete("a", revision=second)
        assert await bucket.get("a") is None
        await bucket.delete("a")

    async def test_one_of_many_creators_wins(self, bus, other_bus):
        buckets = [await bus.bucket(PLAIN_BUCKET), await other_bus.bucket(PLAIN_BUCKET)]
        tries = [buckets[number % 2].create("a", b"%d" % number) for number in range(10)]
        outcomes = await asyncio.gather(*tries, return_exceptions=True)
        assert sum(isinstance(one, int) for one in outcomes) == 1
        assert sum(isinstance(one, Conflict) for one in outcomes) == 9

    async def test_keys_by_prefix_even_within_a_token(self, bus):
        bucket = await bus.bucket(PLAIN_BUCKET)
        for key in ("host.1", "host.12", "host.2", "hostel.1", "site.1"):
            await bucket.put(key, b"")
        await bucket.delete("host.2")
        assert sorted(await bucket.keys()) == ["host.1", "host.12", "hostel.1", "site.1"]
        assert sorted(await bucket.keys("host.1")) == ["host.1", "host.12"]
        assert sorted(await bucket.keys("host.")) == ["host.1", "host.12"]
        assert await bucket.keys("none") == []

    async def test_watch_says_what_is_there_then_none_then_changes(self, bus):
        bucket = await bus.bucket(PLAIN_BUCKET)
        first = await bucket.put("host.1", b"1")
        await bucket.put("host.2", b"2")
        await bucket.delete("host.2")
        await bucket.put("site.1", b"3")
        watching = bucket.watch("host.")
        assert await anext(watching) == Entry("host.1", b"1", first)
        assert await anext(watching) is None
        await bucket.put("site.2", b"4")
        changed = await bucket.put("host.3", b"5")
        assert await anext(watching) == Entry("host.3", b"5", changed)
        await bucket.delete("host.1")
        gone = await anext(watching)
        assert isinstance(gone, Gone)
        assert gone.key == "host.1"
        await watching.aclose()

    async def test_watch_of_an_empty_bucket_says_none(self, bus):
        watching = (await bus.bucket(PLAIN_BUCKET)).watch()
        assert await anext(watching) is None
        await watching.aclose()

    async def test_entry_that_runs_out_is_gone_for_all(self, bus):
        bucket = await bus.bucket(SHORT_BUCKET)
        watching = bucket.watch()
        assert await anext(watching) is None
        await bucket.put("lease", b"me")
        assert isinstance(await anext(watching), Entry)
        async with asyncio.timeout(PATIENCE_S):
            gone = await anext(watching)
        assert isinstance(gone, Gone)
        assert gone.key == "lease"
        assert await bucket.get("lease") is None
        assert await bucket.keys() == []
        await bucket.create("lease", b"you")
        assert (await bucket.get("lease")).value == b"you"
        await watching.aclose()

    async def test_written_again_in_time_it_stays(self, bus):
        bucket = await bus.bucket(SHORT_BUCKET)
        revision = await bucket.create("lease", b"me")
        for _ in range(4):
            await asyncio.sleep(0.4)
            revision = await bucket.update("lease", b"me", revision=revision)
        assert (await bucket.get("lease")).value == b"me"

    @pytest.mark.parametrize("key", ["", ".a", "a.", "a..b", "a b", "a.*", "é", "a\r\nb"])
    async def test_key_that_is_none(self, bus, key):
        bucket = await bus.bucket(PLAIN_BUCKET)
        with pytest.raises(Invalid):
            await bucket.put(key, b"")
        with pytest.raises(Invalid):
            await bucket.get(key)
