"""The bus on NATS with JetStream. Outside of this package: `NatsBus.connect`."""

from __future__ import annotations

from shared.without import without

with without("aiohttp"):  # 4.7 MB and 130 ms of CPU in each service, for NATS over WebSocket: see `session.py`
    import nats.aio.transport  # noqa: F401

from shared.bus.nats.bus import NatsBus

__all__ = ["NatsBus"]
