"""How many sessions there were over the last hour, walked back from how many there are now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

STEP_S = 120
STEPS = 30


def slot_of(moment: datetime) -> int:
    """The two-minute slot that a moment lies in: the same for everybody, so that pictures change only with a slot."""
    return int(moment.timestamp()) // STEP_S


def walk_back(open_now: int, net: Mapping[int, int], slot: int) -> tuple[int, ...]:
    """Open sessions at the end of each slot, oldest first. `net`: opened minus closed, by slot; `slot`: the present."""
    counts = [open_now]
    for past in range(slot, slot - STEPS, -1):
        counts.append(max(counts[-1] - net.get(past, 0), 0))
    return tuple(reversed(counts))


def added(trends: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """Several routers' sessions as one line."""
    return tuple(map(sum, zip(*trends, strict=True)))
