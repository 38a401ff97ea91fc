"""Phone numbers as people write them, kept as chat servers want them: digits with the country code, no plus sign."""

from __future__ import annotations

import re

_ORNAMENTS = re.compile(r"[\s().-]")
COUNTRY_CODE = "62"  # Indonesia: a number that starts with 0 is a national one


def normalise_phone(text: str) -> str | None:
    """`0857-1234-5678` → `6285712345678`; None if it is no phone number (E.164: at most 15 digits).

    >>> normalise_phone("+62 857 1234 5678")
    '6285712345678'
    """
    digits = _ORNAMENTS.sub("", text).removeprefix("+")
    if digits.startswith("00"):
        digits = digits[2:]
    elif digits.startswith("0"):
        digits = COUNTRY_CODE + digits[1:]
    return digits if digits.isascii() and digits.isdigit() and 8 <= len(digits) <= 15 else None
