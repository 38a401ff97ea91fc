"""What a bucket accepts as a key."""

from __future__ import annotations

import re

from shared.errors import Invalid

_KEY = re.compile(r"[-/_=a-zA-Z0-9]+(\.[-/_=a-zA-Z0-9]+)*")
_PREFIX = re.compile(r"[-/_=.a-zA-Z0-9]*")


def check_key(key: str) -> str:
    """`key` if a bucket can hold it; raises Invalid. Free text goes through `escape_token` first."""
    if not _KEY.fullmatch(key):
        raise Invalid(f"{key!r} is no key: letters, digits and -/_= in tokens between dots")
    return key


def check_prefix(prefix: str) -> str:
    """`prefix` if keys can begin with it; raises Invalid."""
    if not _PREFIX.fullmatch(prefix) or prefix.startswith("."):
        raise Invalid(f"no key begins with {prefix!r}")
    return prefix
