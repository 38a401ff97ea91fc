"""The bus in memory keeps the promises of the port."""

from __future__ import annotations

import pytest

from shared.bus.memory import MemoryBus
from shared.errors import Unreachable
from tests.cases.bus import PLAIN_BUCKET, BusCases, down


class TestMemoryBus(BusCases):
    @pytest.fixture
    def bus(self):
        return MemoryBus(source="ronda/one")

    @pytest.fixture
    def other_bus(self, bus):
        return MemoryBus(source="ronda/two", server=bus.server)

    async def test_unplugged_is_unreachable(self, bus):
        bucket = await bus.bucket(PLAIN_BUCKET)
        bus.server.away = True
        assert not bus.connected
        with pytest.raises(Unreachable):
            await bus.publish(down())
        with pytest.raises(Unreachable):
            await bucket.get("a")
        bus.server.away = False
        assert not (await bus.publish(down())).duplicate
