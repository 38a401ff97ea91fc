"""Samples: measurements that nobody stores on the bus; one that is lost is a gap in a chart and never an alarm's fault.

A sample covers a slice of time and ends at `at`. Columns stand side by side: place n of each belongs to the same host.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from shared.contracts.ids import RouterId
from shared.contracts.message import Contract, Message
from shared.contracts.subjects import Kind


class HostSlices(Message):
    """How hosts answered during one slice. Round trips are None where nothing came back."""

    KIND: ClassVar[Kind] = Kind.SAMPLE
    NAME: ClassVar[str] = "host.slices"
    SCOPE: ClassVar[tuple[str, ...]] = ("instance",)
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "instance": "poller-1",
        "at": "2026-11-20T14:04:20Z",
        "slice_s": 10.0,
        "hosts": ["01h0st", "01gate"],
        "sent": [10, 10],
        "received": [10, 0],
        "rtt_min_ms": [1.2, None],
        "rtt_avg_ms": [1.8, None],
        "rtt_max_ms": [4.0, None],
        "jitter_ms": [0.4, None],
    }

    instance: str
    at: datetime
    slice_s: float
    hosts: tuple[str, ...]
    sent: tuple[int, ...]
    received: tuple[int, ...]
    rtt_min_ms: tuple[float | None, ...]
    rtt_avg_ms: tuple[float | None, ...]
    rtt_max_ms: tuple[float | None, ...]
    jitter_ms: tuple[float | None, ...]


class Reading(Contract):
    """One measured value. `part`: the interface, disk, sensor or pool it belongs to; empty: the router as a whole."""

    metric: str  # with its unit: cpu_percent, memory_percent, temperature_c, rx_bps, tx_bps, rx_pps, used
    part: str = ""
    value: float


class RouterReadings(Message):
    """What a router said of itself at `at`; rates are means since the reading before."""

    KIND: ClassVar[Kind] = Kind.SAMPLE
    NAME: ClassVar[str] = "router.readings"
    SCOPE: ClassVar[tuple[str, ...]] = ("router_id",)
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "router_id": "01r0ut",
        "at": "2026-11-20T14:04:20Z",
        "readings": [
            {"metric": "cpu_percent", "value": 12.0},
            {"metric": "rx_bps", "part": "ether1", "value": 48_200_000.0},
        ],
    }

    router_id: RouterId
    at: datetime
    readings: tuple[Reading, ...]
