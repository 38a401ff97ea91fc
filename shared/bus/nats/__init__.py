"""The bus on NATS with JetStream. Outside of this package: `NatsBus.connect`."""

from __future__ import annotations

from shared.bus.nats.bus import NatsBus

__all__ = ["NatsBus"]
