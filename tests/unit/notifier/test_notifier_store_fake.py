"""The fake memory keeps the same promises as the real one."""

from __future__ import annotations

import pytest

from tests.cases.notifier_store import NotifierStoreCases
from tests.fakes.clock import FakeClock
from tests.fakes.notifier_store import MemoryStore


class TestMemoryStore(NotifierStoreCases):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore(FakeClock())
