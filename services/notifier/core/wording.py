"""How one reader is spoken to: language, time zone, numbers. Messages ask this; `main` binds it to the catalogues."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

LATE_AFTER_S = 30.0  # from here on a message says when it was sent, besides when it happened


class Wording(Protocol):
    """The words, times and numbers of one reader."""

    def gettext(self, msgid: str) -> str:
        """The sentence in the reader's language; values are filled in after."""
        ...

    def local(self, moment: datetime) -> datetime:
        """The moment on the reader's clock."""
        ...

    def moment(self, moment: datetime) -> str:
        """Date, time and the zone's name: `20 Nov 2026 21.04.17 WIB`."""
        ...

    def duration(self, seconds: float) -> str:
        """`2 menit 17 detik`."""
        ...

    def number(self, value: float, digits: int) -> str:
        """`1,8` or `1.8`."""
        ...


def is_late(event_at: datetime, now: datetime) -> bool:
    """Whether a message has to say that it comes late."""
    return (now - event_at).total_seconds() > LATE_AFTER_S
