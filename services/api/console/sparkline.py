"""A small line of the last hour, drawn on the server: the points of an SVG polyline."""

from __future__ import annotations

from collections.abc import Sequence

WIDTH, HEIGHT = 72.0, 20.0
_MARGIN = 2.0  # so that the line's own width is not cut off
_SMALLEST_SPAN = 4  # one session more or less is no cliff


def points(values: Sequence[int]) -> str:
    """`0.0,18.0 2.4,10.1 …` from oldest to newest, scaled to what there is; nothing for fewer than two values."""
    if len(values) < 2:
        return ""
    low, high = min(values), max(values)
    span = max(high - low, _SMALLEST_SPAN)
    bottom = (low + high - span) / 2
    step = WIDTH / (len(values) - 1)
    room = HEIGHT - 2 * _MARGIN
    heights = [HEIGHT - _MARGIN - (value - bottom) / span * room for value in values]
    return " ".join(f"{place * step:.1f},{height:.1f}" for place, height in enumerate(heights))
