"""The bus on a real NATS server keeps the promises of the port."""

from __future__ import annotations

import pytest

from shared.bus.nats import NatsBus
from tests.cases.bus import BusCases


class TestNatsBus(BusCases):
    @pytest.fixture
    async def bus(self, nats_url):
        async with NatsBus.connect(nats_url, name="one", source="ronda/one") as bus:
            yield bus

    @pytest.fixture
    async def other_bus(self, nats_url):
        async with NatsBus.connect(nats_url, name="two", source="ronda/two") as bus:
            yield bus
