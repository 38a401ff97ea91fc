"""Telephone numbers as people in Indonesia write them, and as WhatsApp wants them."""

from __future__ import annotations

import re

_NO_DIGIT = re.compile(r"\D")
COUNTRY = "62"
SHORTEST, LONGEST = 10, 15  # E.164 allows 15; nothing shorter than 10 is a mobile number with its country


def international(written: str) -> str | None:
    """`0857…`, `+62 857…`, `62857…` and `857…` as `62857…`; None if that cannot be a number.

    Other countries' numbers are kept when they are written with `+` or `00`.
    """
    text = written.strip()
    digits = _NO_DIGIT.sub("", text)
    if digits.startswith("00"):
        digits = digits[2:]
    elif text.startswith("+"):
        pass
    elif digits.startswith("0"):
        digits = COUNTRY + digits[1:]
    elif digits.startswith("8"):
        digits = COUNTRY + digits
    return digits if SHORTEST <= len(digits) <= LONGEST else None
