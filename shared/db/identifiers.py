"""Names that are put into SQL text, where parameters cannot stand."""

from __future__ import annotations

import re

from shared.errors import Misconfigured

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,47}")


def checked_schema(name: str) -> str:
    """The name, if it may stand in SQL unquoted. Raises Misconfigured otherwise."""
    if not _NAME.fullmatch(name):
        raise Misconfigured(f"{name!r} is no name for a schema: lower case letters, digits and _ only")
    return name


def outbox_channel(schema: str) -> str:
    """The NOTIFY channel that says: the outbox of this schema has new rows."""
    return f"ronda_outbox_{checked_schema(schema)}"
