"""A text that never shows itself: not in a log, a traceback, an f-string or a pickle."""

from __future__ import annotations

import hmac
from typing import Final, NoReturn, final

MASK: Final = "***"


@final
class Secret:
    """Holds a secret text. Only `reveal()` gives it out, at the place that needs it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, _spec: str) -> str:
        return MASK

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        """Compare in constant time, so that a caller who measures learns nothing."""
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled; seal it")
