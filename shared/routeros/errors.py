"""A router's refusals in terms of `shared.errors`, with its own words kept in `words`.

    Refused
    └── Rejected                      the router said no, in its own words
        ├── NameTaken                 also Conflict: such an item exists already
        ├── ItemMissing               also NotFound: the id (or name) is not there
        ├── RightsMissing             also NotAllowed: the user's group lacks a policy, or a wrong login
        ├── ValueRefused              also Invalid: unknown parameter, bad value, unknown reference
        └── FeatureMissing            no such menu or verb: package absent, disabled, or another version
    CertificateRefused                NotAllowed: the TLS certificate is not the one we trust

So `except Conflict` serves code that knows only the tree, `except Rejected` code that wants the words.
Temporary refusals (interrupted, RADIUS silent, a tool's own timeout) are `Temporary`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared.errors import (
    Conflict,
    DeadlineExceeded,
    Invalid,
    NotAllowed,
    NotFound,
    Rejected,
    RondaError,
    Temporary,
)


class NameTaken(Conflict, Rejected):
    """An item with this name, address or entry exists already."""


class ItemMissing(NotFound, Rejected):
    """No item with this id: it was removed, or ids changed with a reboot."""


class RightsMissing(NotAllowed, Rejected):
    """The login was refused, or our user's group lacks the policy for this command."""


class ValueRefused(Invalid, Rejected):
    """An argument is unknown here, out of range, or names something that does not exist."""


class FeatureMissing(Rejected):
    """The menu or verb does not exist on this router. Means "it has no such thing", not an outage."""

    code = "feature_missing"


class CertificateRefused(NotAllowed):
    """TLS did not prove that this is the router we know; nothing was sent to it."""

    code = "certificate_refused"


@dataclass(frozen=True)
class Trap:
    """One `!trap`. `category` is often absent; 0 missing item/command, 1 bad value, 2 interrupted."""

    message: str
    category: str | None = None


def _late(message: str, *, words: str) -> RondaError:
    return DeadlineExceeded(message or words)


def _later(message: str, *, words: str) -> RondaError:
    return Temporary(message or words)


# The router's texts, from most to least telling; the first match among all traps of a reply wins.
# Sources are traces of 6.4x and 7.x routers; `(N)` at the end comes and goes between versions.
_MEANINGS: tuple[tuple[re.Pattern[str], Callable[..., RondaError]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), meaning)
    for pattern, meaning in (
        (r"no such command", FeatureMissing),
        (r"invalid user name or password|cannot log in|not enough permissions", RightsMissing),
        (r"radius timeout|^interrupted|session closed", _later),
        (r"std failure: timeout", _late),
        (r"no such item", ItemMissing),
        (r"already exists|already have|with such name|already used", NameTaken),
        (r"unknown parameter|invalid value|out of range|does not match any value", ValueRefused),
        (r"ambiguous value|missing value|is required|value of .* (must|should)", ValueRefused),
    )
)


def refusal(command: str, traps: Sequence[Trap]) -> RondaError:
    """One error for all traps of one reply. `command` is the command word only: arguments may be secret."""
    words = ", ".join(trap.message for trap in traps) or "refused without a word"
    message = f"{command}: {words}"
    for pattern, meaning in _MEANINGS:
        if any(pattern.search(trap.message) for trap in traps):
            return meaning(message, words=words)
    return _by_category(message, words, {trap.category for trap in traps})


def _by_category(message: str, words: str, categories: set[str | None]) -> RondaError:
    """For texts nobody has seen yet: the category still says something."""
    if "2" in categories:
        return _later(message, words=words)
    if "1" in categories:
        return ValueRefused(message, words=words)
    return Rejected(message, words=words)
