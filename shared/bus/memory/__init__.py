"""The bus inside one process. Outside of this package: `MemoryBus`, and `MemoryServer` to share one."""

from __future__ import annotations

from shared.bus.memory.bus import MemoryBus
from shared.bus.memory.server import MemoryServer

__all__ = ["MemoryBus", "MemoryServer"]
