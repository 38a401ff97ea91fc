"""Subjects of the bus: `ronda.v1.<kind>.<domain>.<what>.<scope…>`, built here and nowhere else.

Free text (a user's name, a router's name) may become a token only through `escape_token`, which keeps what NATS
allows in a token readable and writes everything else as `=XX` per UTF-8 byte, so that it can be undone.
"""

from __future__ import annotations

import re
from enum import StrEnum

ROOT = "ronda.v1"

_PLAIN = re.compile(r"[A-Za-z0-9_-]")
_ESCAPED = re.compile(r"=([0-9A-F]{2})")
_EMPTY = "=00"


class Kind(StrEnum):
    """What a message is for: the first word after the version."""

    EVENT = "evt"
    DESIRED = "desired"
    ACTION = "act"
    QUERY = "rpc"
    SAMPLE = "sample"
    NOTIFY = "notify"
    TIMER = "timer"
    DUE = "due"
    DEAD = "dlq"


def escape_token(text: str) -> str:
    """`text` as one subject token: letters, digits, `_` and `-` stay, every other byte becomes `=XX`.

    >>> escape_token("budi@paket 10")
    'budi=40paket=2010'
    """
    if not text:
        return _EMPTY
    return "".join(
        char if _PLAIN.fullmatch(char) else "".join(f"={byte:02X}" for byte in char.encode()) for char in text
    )


def unescape_token(token: str) -> str:
    """The text that `escape_token` was given."""
    if token == _EMPTY:
        return ""
    encoded = _ESCAPED.sub(lambda match: chr(int(match.group(1), 16)), token)
    return encoded.encode("latin-1").decode()


def subject(kind: Kind, name: str, *scope: str) -> str:
    """The subject of a message: `name` is `<domain>.<what>`, `scope` is escaped token by token, ids last."""
    return ".".join((ROOT, kind, name, *(escape_token(token) for token in scope)))


def every(kind: Kind, *prefix: str) -> str:
    """The filter for all subjects of a kind below `prefix` (raw tokens; `*` may be one of them)."""
    return ".".join((ROOT, kind, *prefix, ">"))
