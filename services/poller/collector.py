"""How often Python looks for garbage in circles."""

from __future__ import annotations

import gc

# Every probe makes a few tuples that live until its answer, so by Python's own measure (700 more made than dropped)
# the youngest are searched a dozen times per round, and everything that is known of 10,000 hosts every few seconds.
# None of them is in a circle. Measured at saturation with 10,000 hosts: 76,000 round trips per CPU second with Python's
# measure, 88,000 with this one, as many as without any search (85,000). Circles of other origin are found, only later.
THRESHOLDS = (10_000, 20, 50)


def search_less() -> None:
    """Set this process's garbage collector to `THRESHOLDS`."""
    gc.set_threshold(*THRESHOLDS)
