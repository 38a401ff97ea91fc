"""Numbers that are on WhatsApp, and when each last wrote: the 24 hour window hangs on it."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field

WINDOW_SECONDS = 24 * 3600


def digits_of(number: str) -> str:
    """Only the digits, a leading 0 replaced by Indonesia's 62, as the public gateways do it."""
    digits = re.sub(r"\D", "", number.split("@")[0])
    return "62" + digits[1:] if digits.startswith("0") else digits


@dataclass
class Contact:
    """A person with WhatsApp."""

    number: str
    name: str
    last_inbound_at: float = 0.0
    blocked: bool = False
    offline: bool = False
    """Messages stay at "sent" while true."""

    @property
    def window_open(self) -> bool:
        """Whether free-form messages may be sent now."""
        return time.time() - self.last_inbound_at < WINDOW_SECONDS


@dataclass
class Contacts:
    """Everybody who is on WhatsApp; other numbers are not registered."""

    known: dict[str, Contact] = field(default_factory=dict)

    def add(self, number: str, name: str, *, window_open: bool = False) -> Contact:
        """A person; `window_open` when they have written to the business just now."""
        key = digits_of(number)
        contact = self.known.setdefault(key, Contact(key, name))
        if window_open:
            contact.last_inbound_at = time.time()
        return contact

    def get(self, number: str) -> Contact | None:
        """The contact of a number in any spelling, or None."""
        return self.known.get(digits_of(number))
