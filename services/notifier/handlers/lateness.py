"""What was on a line when it broke arrives when the line is mended, and does not know that it is late.

Nobody is woken by a trouble that is over: such a word waits once, for what its poller has to tell after it. If nothing
newer comes, it is the truth and is told.
"""

from __future__ import annotations

from datetime import timedelta

import structlog

from shared.bus.context import current_arrival
from shared.contracts.events import Event
from shared.errors import Temporary

LATE_AFTER = timedelta(seconds=60)  # on the way to the stream; also more than clocks differ that are kept in order
NEWER_COMES_WITHIN_S = 15.0  # a poller that is back needs its lease, and then tells

log = structlog.get_logger("notifier")


def let_newer_pass(event: Event, *, unless_held: bool = False) -> None:
    """Raises Temporary at the first try of an event that was long on its way.

    `unless_held`: of this kind nothing is held back for being backfilled, so those wait, too.
    """
    arrival = current_arrival()
    if arrival is None or arrival.failures or (event.backfilled and not unless_held):
        return
    if not event.backfilled and arrival.on_the_way <= LATE_AFTER:
        return
    log.info("an event was long on its way", fact=event.NAME, seconds=round(arrival.on_the_way.total_seconds()))
    raise Temporary("it was long on its way; something newer may follow", retry_after=NEWER_COMES_WITHIN_S)
