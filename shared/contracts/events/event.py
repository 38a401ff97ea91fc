"""What all events have in common."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from shared.contracts.message import Message
from shared.contracts.subjects import Kind

EXAMPLE_TIME = "2026-11-20T14:04:17Z"


class Event(Message):
    """Something that is now true, at `at` by the best clock that saw it."""

    KIND: ClassVar[Kind] = Kind.EVENT

    at: datetime
    backfilled: bool = False  # told late because the poller that saw it was cut off from the bus; `at` is true
