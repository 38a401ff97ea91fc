"""Queries for holders, on the bus in memory."""

from __future__ import annotations

import pytest

from shared.bus.memory import MemoryBus
from tests.cases.bus_cases.holders import HolderCases


class TestMemoryHolders(HolderCases):
    @pytest.fixture
    def bus(self):
        return MemoryBus(source="ronda/one")

    @pytest.fixture
    def other_bus(self, bus):
        return MemoryBus(source="ronda/two", server=bus.server)
