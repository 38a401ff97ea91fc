"""Cursors: the sort key of the last row, opaque to the caller, so that pages stay right while rows come and go."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.api.core.faults import Fault, Faulty

T = TypeVar("T")

MAX_PAGE = 500


@dataclass(frozen=True, slots=True)
class PageWish:
    """Which page is wanted: `after` is the sort key of the last row of the page before."""

    limit: int = 50
    after: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows, and the cursor of the next ones; None: these were the last."""

    items: tuple[T, ...]
    next_cursor: str | None


def encode_cursor(key: Sequence[str]) -> str:
    """The sort key as text that is safe in an address."""
    return base64.urlsafe_b64encode(json.dumps(list(key)).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, *, parts: int = 2) -> tuple[str, ...]:
    """The sort key again; raises Faulty for what we did not write."""
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error) as wrong:
        raise _bad_cursor() from wrong
    if not (isinstance(key, list) and len(key) == parts and all(isinstance(part, str) for part in key)):
        raise _bad_cursor()
    return tuple(key)


def cut_page(rows: Sequence[T], wish: PageWish, keys: Sequence[Sequence[str]]) -> Page[T]:
    """A page from one row more than was asked for: the extra row only tells that there is a next page."""
    if len(rows) <= wish.limit:
        return Page(tuple(rows), None)
    return Page(tuple(rows[: wish.limit]), encode_cursor(keys[wish.limit - 1]))


def _bad_cursor() -> Faulty:
    return Faulty([Fault("cursor", "bad_cursor", "This cursor is not one of ours; start again without a cursor.")])
