"""Questions a router answers by itself, as an immutable value that becomes query words.

    equals("service", "pppoe") & ~equals("disabled", "true")

A router keeps a stack of truth values: a comparison pushes one, `?#` operators work on the top. Joining two
queries therefore is: words of the left, words of the right, operator.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import or_

from shared.errors import Invalid


@dataclass(frozen=True)
class Query:
    """Query words in the order in which the router must get them."""

    words: tuple[str, ...]

    def __and__(self, other: Query) -> Query:
        return Query((*self.words, *other.words, "?#&"))

    def __or__(self, other: Query) -> Query:
        return Query((*self.words, *other.words, "?#|"))

    def __invert__(self) -> Query:
        return Query((*self.words, "?#!"))


def equals(name: str, value: str) -> Query:
    """The property has exactly this text."""
    return Query((f"?={_property(name)}={value}",))


def one_of(name: str, *values: str) -> Query:
    """The property has one of these texts. Raises Invalid without values: no query means every row."""
    if not values:
        raise Invalid(f"no values given to compare {name} with")
    return reduce(or_, (equals(name, value) for value in values))


def less(name: str, value: str) -> Query:
    """The property is smaller, in the router's own order for its type."""
    return Query((f"?<{_property(name)}={value}",))


def greater(name: str, value: str) -> Query:
    """The property is greater, in the router's own order for its type."""
    return Query((f"?>{_property(name)}={value}",))


def has(name: str) -> Query:
    """The property has a value."""
    return Query((f"?{_property(name)}",))


def lacks(name: str) -> Query:
    """The property has no value."""
    return Query((f"?-{_property(name)}",))


def _property(name: str) -> str:
    if not name or name[0] in "?=<>#-" or "=" in name:
        raise Invalid(f"not a property name: {name!r}")
    return name
