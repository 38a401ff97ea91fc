"""Queries for holders, on a real server."""

from __future__ import annotations

import pytest

from shared.bus.nats import NatsBus
from tests.cases.bus_cases.holders import HolderCases


class TestNatsHolders(HolderCases):
    @pytest.fixture
    async def bus(self, nats_url):
        async with NatsBus.connect(nats_url, name="one", source="ronda/one") as bus:
            yield bus

    @pytest.fixture
    async def other_bus(self, nats_url):
        async with NatsBus.connect(nats_url, name="two", source="ronda/two") as bus:
            yield bus
